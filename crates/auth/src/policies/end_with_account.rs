//! Sessions end with the account: a suspended person has to log in again afterwards.
//!
//! Gateways and services refuse a suspended person from the account alone and at once. This is what
//! keeps it so for old tokens when the person is reinstated.

use async_trait::async_trait;
use doran_contract::{
    SessionId, UserId,
    events::{USER_EVENTS, UserEvent},
    session::Revocation,
    subject::USER_STREAM,
    user::UserStatus,
};
use doran_eventstore::{ExecuteError, Recorded};
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};

use crate::{
    commands::SOURCE,
    session::{Command, Error},
    state::Service,
};

pub const END_WITH_ACCOUNT: Declaration = Declaration {
    service: SOURCE,
    name: "sessions-end-with-account",
    version: 1,
    stream: USER_STREAM,
    filters: &["user.*.UserStatusChanged"],
    start: Start::New,
};

pub(crate) struct EndWithAccount(pub(crate) Service);

/// Whose sessions end. An event that comes to end accounts gets its arm here, and its filter above.
fn ends_account(event: &UserEvent) -> Option<UserId> {
    match event {
        UserEvent::UserStatusChanged(changed) => match changed.to {
            UserStatus::Suspended => Some(changed.user_id),
            UserStatus::Active | UserStatus::Inactive => None,
        },
        UserEvent::UserCreated(_) | UserEvent::UserRoleChanged(_) => None,
    }
}

#[async_trait]
impl Policy for EndWithAccount {
    type Command = SessionId;

    fn declaration(&self) -> Declaration {
        END_WITH_ACCOUNT
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<SessionId>, Failure> {
        let Some(user) = ends_account(&event.decode(&event_schema(USER_EVENTS))?) else {
            return Ok(Vec::new());
        };
        let Self(service) = self;
        let now = service.platform.clock.now();
        let standing = service.standing.of(user, now).await;
        standing.map_err(Failure::transient)
    }

    async fn execute(&self, event: &Recorded, session: SessionId) -> Result<(), Failure> {
        let Self(service) = self;
        let id = session.to_string();
        let ctx = END_WITH_ACCOUNT.context(event, &id, service.platform.clock.now());
        let revoke = Command::Revoke(Revocation::Account);
        match service.sessions.execute(&(), &id, revoke, &ctx).await {
            // The stream forgets by age, and with its last event the session is gone.
            Ok(_) | Err(ExecuteError::Refused(Error::NotFound)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use doran_contract::{
        events::{UserRoleChanged, UserStatusChanged},
        user::Role,
    };
    use uuid::Uuid;

    use super::*;

    const PERSON: UserId = UserId::new(Uuid::from_u128(1));

    fn changed(to: UserStatus) -> UserEvent {
        UserStatusChanged {
            user_id: PERSON,
            from: UserStatus::Active,
            to,
        }
        .into()
    }

    #[test]
    fn when_a_person_is_suspended_then_their_sessions_end() {
        assert_eq!(ends_account(&changed(UserStatus::Suspended)), Some(PERSON));
    }

    #[test]
    fn when_an_account_rests_returns_or_gets_another_role_then_no_session_ends() {
        let promoted = UserRoleChanged {
            user_id: PERSON,
            from: Role::User,
            to: Role::Admin,
        };
        assert_eq!(ends_account(&changed(UserStatus::Inactive)), None);
        assert_eq!(ends_account(&changed(UserStatus::Active)), None);
        assert_eq!(ends_account(&promoted.into()), None);
    }
}
