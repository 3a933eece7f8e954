//! What may happen to a user, decided without clock, randomness or I/O.

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    Sealed, SessionId, UserId,
    events::{
        PasswordChanged, USER_EVENTS, UserCreated, UserDeleted, UserEmailChanged, UserErased,
        UserEvent, UserProfileChanged, UserRoleChanged, UserSettingsChanged, UserStatusChanged,
    },
    subject::{USER, USER_STREAM},
    user::{PasswordChange, Role, UserStatus},
};
use doran_eventstore::{Claim, EventSourced, Schema};
use doran_platform::{event_schema, profile::SealedPersonalData};
use serde::{Deserialize, Serialize};

use super::Error;

/// The kind of claim that keeps addresses unique.
pub(crate) const EMAIL_CLAIM: &str = "email";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    life: Life,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Life {
    #[default]
    Unregistered,
    Standing(Account),
    Deleted(UserId),
    Erased,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    id: UserId,
    status: UserStatus,
    role: Role,
    email_key: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Register(Box<Registration>),
    /// What the person says about themselves, as a whole.
    ChangeProfile(Box<SealedPersonalData>),
    ChangeEmail {
        email_key: String,
        personal: Box<SealedPersonalData>,
    },
    ChangeSettings {
        settings: Sealed,
        coach_check: bool,
    },
    /// The hash is replaced already.
    NotePassword {
        reason: PasswordChange,
        kept_session_id: Option<SessionId>,
    },
    ChangeStatus(UserStatus),
    ChangeRole(Role),
    /// What was asked for is so already; what is left is that the account stands.
    Keep,
    Delete,
    /// Somebody has stayed away; whoever is not ACTIVE, or an administrator, stays as they are.
    Rest,
    /// Somebody has stayed away for long; whoever does not rest stays.
    DeleteInactive,
    /// Key and credential are destroyed already.
    NoteErasure,
}

#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) user_id: UserId,
    pub(crate) email_key: String,
    pub(crate) personal: SealedPersonalData,
}

impl User {
    /// Under which key the person's address is claimed; none of somebody who is not there.
    pub(crate) fn email_key(&self) -> Option<&str> {
        self.standing()
            .ok()
            .map(|account| account.email_key.as_str())
    }

    fn decide(&self, command: Command) -> Result<Option<UserEvent>, Error> {
        match command {
            Command::Register(registration) => self.decide_register(*registration).map(Some),
            Command::ChangeProfile(personal) => self.decide_profile(*personal).map(Some),
            Command::ChangeEmail {
                email_key,
                personal,
            } => self.decide_email(email_key, *personal).map(Some),
            Command::ChangeSettings {
                settings,
                coach_check,
            } => self.decide_settings(settings, coach_check).map(Some),
            Command::NotePassword {
                reason,
                kept_session_id,
            } => self.decide_password(reason, kept_session_id).map(Some),
            Command::ChangeStatus(to) => self.decide_status(to),
            Command::ChangeRole(to) => self.decide_role(to),
            Command::Keep => self.standing().map(|_| None),
            Command::Delete => self.decide_delete().map(Some),
            Command::Rest => self.decide_rest(),
            Command::DeleteInactive => self.decide_delete_inactive(),
            Command::NoteErasure => self.decide_erasure(),
        }
    }

    fn standing(&self) -> Result<&Account, Error> {
        match &self.life {
            Life::Standing(account) => Ok(account),
            Life::Unregistered | Life::Deleted(_) | Life::Erased => Err(Error::NotFound),
        }
    }

    fn decide_register(&self, registration: Registration) -> Result<UserEvent, Error> {
        match self.life {
            Life::Unregistered => {}
            Life::Standing(_) | Life::Deleted(_) | Life::Erased => {
                return Err(Error::AlreadyRegistered);
            }
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

    fn decide_profile(&self, personal: SealedPersonalData) -> Result<UserEvent, Error> {
        let account = self.standing()?;
        let changed = UserProfileChanged {
            user_id: account.id,
            email: personal.email,
            first_name: personal.first_name,
            last_name: personal.last_name,
            name: personal.name,
            picture: personal.picture,
            info: personal.info,
        };
        Ok(changed.into())
    }

    fn decide_email(
        &self,
        email_key: String,
        personal: SealedPersonalData,
    ) -> Result<UserEvent, Error> {
        let account = self.standing()?;
        let changed = UserEmailChanged {
            user_id: account.id,
            email_key,
            previous_email_key: account.email_key.clone(),
            email: personal.email,
            first_name: personal.first_name,
            last_name: personal.last_name,
            name: personal.name,
            picture: personal.picture,
            info: personal.info,
        };
        Ok(changed.into())
    }

    fn decide_settings(&self, settings: Sealed, coach_check: bool) -> Result<UserEvent, Error> {
        let changed = UserSettingsChanged {
            user_id: self.standing()?.id,
            settings,
            coach_check,
        };
        Ok(changed.into())
    }

    fn decide_password(
        &self,
        reason: PasswordChange,
        kept_session_id: Option<SessionId>,
    ) -> Result<UserEvent, Error> {
        let changed = PasswordChanged {
            user_id: self.standing()?.id,
            reason,
            kept_session_id,
        };
        Ok(changed.into())
    }

    fn decide_status(&self, to: UserStatus) -> Result<Option<UserEvent>, Error> {
        let account = self.standing()?;
        let changed = UserStatusChanged {
            user_id: account.id,
            from: account.status,
            to,
        };
        Ok((changed.from != to).then(|| changed.into()))
    }

    fn decide_role(&self, to: Role) -> Result<Option<UserEvent>, Error> {
        let account = self.standing()?;
        let changed = UserRoleChanged {
            user_id: account.id,
            from: account.role,
            to,
        };
        Ok((changed.from != to).then(|| changed.into()))
    }

    fn decide_delete(&self) -> Result<UserEvent, Error> {
        let account = self.standing()?;
        let deleted = UserDeleted {
            user_id: account.id,
            email_key: account.email_key.clone(),
        };
        Ok(deleted.into())
    }

    fn decide_rest(&self) -> Result<Option<UserEvent>, Error> {
        let account = self.standing()?;
        if account.status == UserStatus::Active && account.role != Role::Admin {
            self.decide_status(UserStatus::Inactive)
        } else {
            Ok(None)
        }
    }

    fn decide_delete_inactive(&self) -> Result<Option<UserEvent>, Error> {
        let account = self.standing()?;
        if account.status == UserStatus::Inactive && account.role != Role::Admin {
            self.decide_delete().map(Some)
        } else {
            Ok(None)
        }
    }

    fn decide_erasure(&self) -> Result<Option<UserEvent>, Error> {
        match &self.life {
            Life::Unregistered => Err(Error::NotFound),
            Life::Standing(_) => Err(Error::NotDeleted),
            Life::Deleted(user_id) => Ok(Some(UserErased { user_id: *user_id }.into())),
            Life::Erased => Ok(None),
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Account)) {
        if let Life::Standing(account) = &mut self.life {
            change(account);
        }
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
                self.life = Life::Standing(Account {
                    id: created.user_id,
                    status: UserStatus::Active,
                    role: created.role,
                    email_key: created.email_key,
                });
            }
            UserEvent::UserEmailChanged(changed) => {
                self.change(|account| account.email_key = changed.email_key);
            }
            UserEvent::UserStatusChanged(changed) => {
                self.change(|account| account.status = changed.to);
            }
            UserEvent::UserRoleChanged(changed) => self.change(|account| account.role = changed.to),
            UserEvent::UserProfileChanged(_)
            | UserEvent::UserSettingsChanged(_)
            | UserEvent::PasswordChanged(_) => {}
            UserEvent::UserDeleted(deleted) => self.life = Life::Deleted(deleted.user_id),
            UserEvent::UserErased(_) => self.life = Life::Erased,
        }
    }
}

impl EventSourced for User {
    const STREAM: &'static str = USER_STREAM;
    const STATE_VERSION: u32 = 2;

    fn schema() -> Schema {
        event_schema(USER_EVENTS)
    }

    fn claims(event: &UserEvent) -> Vec<Claim> {
        match event {
            UserEvent::UserCreated(created) => {
                vec![Claim::take(EMAIL_CLAIM, created.email_key.as_str())]
            }
            UserEvent::UserEmailChanged(changed) => vec![
                Claim::release(EMAIL_CLAIM, changed.previous_email_key.as_str()),
                Claim::take(EMAIL_CLAIM, changed.email_key.as_str()),
            ],
            UserEvent::UserDeleted(deleted) => {
                vec![Claim::release(EMAIL_CLAIM, deleted.email_key.as_str())]
            }
            UserEvent::UserProfileChanged(_)
            | UserEvent::UserSettingsChanged(_)
            | UserEvent::UserStatusChanged(_)
            | UserEvent::UserRoleChanged(_)
            | UserEvent::PasswordChanged(_)
            | UserEvent::UserErased(_) => Vec::new(),
        }
    }

    /// Addresses are the only thing that users claim.
    fn taken(_kind: &str) -> Error {
        Error::EmailTaken
    }
}
