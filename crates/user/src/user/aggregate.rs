//! What may happen to a user, decided without clock, randomness or I/O.

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    UserId,
    events::{USER_EVENTS, UserCreated, UserEvent, UserRoleChanged, UserStatusChanged},
    subject::{USER, USER_STREAM},
    user::{Role, UserStatus},
};
use doran_eventstore::{Claim, EventSourced, Schema};
use doran_platform::{event_schema, profile::SealedPersonalData};
use serde::{Deserialize, Serialize};

use super::Error;

/// The kind of claim that keeps addresses unique.
pub(crate) const EMAIL_CLAIM: &str = "email";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    /// None before the registration.
    account: Option<Account>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    id: UserId,
    status: UserStatus,
    role: Role,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Register(Box<Registration>),
    ChangeStatus(UserStatus),
    ChangeRole(Role),
}

#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) user_id: UserId,
    pub(crate) email_key: String,
    pub(crate) personal: SealedPersonalData,
}

impl User {
    fn decide(&self, command: Command) -> Result<Option<UserEvent>, Error> {
        match command {
            Command::Register(registration) => self.decide_register(*registration).map(Some),
            Command::ChangeStatus(to) => self.decide_status(to),
            Command::ChangeRole(to) => self.decide_role(to),
        }
    }

    fn decide_register(&self, registration: Registration) -> Result<UserEvent, Error> {
        if self.account.is_some() {
            return Err(Error::AlreadyRegistered);
        }
        let personal = registration.personal;
        let created = UserCreated {
            user_id: registration.user_id,
            email_key: registration.email_key,
            email: personal.email,
            first_name: personal.first_name,
            last_name: personal.last_name,
            name: personal.name,
            picture: personal.picture,
            info: personal.info,
            role: Role::User,
        };
        Ok(created.into())
    }

    fn decide_status(&self, to: UserStatus) -> Result<Option<UserEvent>, Error> {
        let account = self.account.ok_or(Error::NotFound)?;
        let changed = UserStatusChanged {
            user_id: account.id,
            from: account.status,
            to,
        };
        Ok((changed.from != to).then(|| changed.into()))
    }

    fn decide_role(&self, to: Role) -> Result<Option<UserEvent>, Error> {
        let account = self.account.ok_or(Error::NotFound)?;
        let changed = UserRoleChanged {
            user_id: account.id,
            from: account.role,
            to,
        };
        Ok((changed.from != to).then(|| changed.into()))
    }
}

impl Aggregate for User {
    const TYPE: &'static str = USER;
    type Command = Command;
    type Event = UserEvent;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: UserEvent) {
        match event {
            UserEvent::UserCreated(created) => {
                self.account = Some(Account {
                    id: created.user_id,
                    status: UserStatus::Active,
                    role: created.role,
                });
            }
            UserEvent::UserStatusChanged(changed) => {
                if let Some(account) = &mut self.account {
                    account.status = changed.to;
                }
            }
            UserEvent::UserRoleChanged(changed) => {
                if let Some(account) = &mut self.account {
                    account.role = changed.to;
                }
            }
        }
    }
}

impl EventSourced for User {
    const STREAM: &'static str = USER_STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        event_schema(USER_EVENTS)
    }

    fn claims(event: &UserEvent) -> Vec<Claim> {
        match event {
            UserEvent::UserCreated(created) => {
                vec![Claim::take(EMAIL_CLAIM, created.email_key.as_str())]
            }
            UserEvent::UserStatusChanged(_) | UserEvent::UserRoleChanged(_) => Vec::new(),
        }
    }

    /// Addresses are the only thing that users claim.
    fn taken(_kind: &str) -> Error {
        Error::EmailTaken
    }
}
