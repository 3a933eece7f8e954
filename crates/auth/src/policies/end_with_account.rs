//! Sessions end with the account: a suspended person has to log in again afterwards, a deleted one
//! never can. After another password all but one end.
//!
//! Gateways and services refuse a suspended or deleted person from the account alone and at once.
//! This is what keeps it so for old tokens when the person is reinstated.

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
    version: 2,
    stream: USER_STREAM,
    filters: &[
        "user.*.UserStatusChanged",
        "user.*.PasswordChanged",
        "user.*.UserDeleted",
    ],
    start: Start::New,
};

pub(crate) struct EndWithAccount(pub(crate) Service);

/// Whose sessions end, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ending {
    user: UserId,
    reason: Revocation,
    kept: Option<SessionId>,
}

/// One session is to end.
pub(crate) struct End {
    session: SessionId,
    reason: Revocation,
}

/// An event that comes to end sessions gets its arm here, and its filter above.
fn ends_sessions(event: &UserEvent) -> Option<Ending> {
    let ending = |user, reason| Ending {
        user,
        reason,
        kept: None,
    };
    match event {
        UserEvent::UserStatusChanged(changed) => match changed.to {
            UserStatus::Suspended => Some(ending(changed.user_id, Revocation::Account)),
            UserStatus::Active | UserStatus::Inactive => None,
        },
        UserEvent::UserDeleted(deleted) => Some(ending(deleted.user_id, Revocation::Account)),
        UserEvent::PasswordChanged(changed) => Some(Ending {
            kept: changed.kept_session_id,
            ..ending(changed.user_id, Revocation::PasswordChanged)
        }),
        UserEvent::UserCreated(_)
        | UserEvent::UserProfileChanged(_)
        | UserEvent::UserEmailChanged(_)
        | UserEvent::UserSettingsChanged(_)
        | UserEvent::UserRoleChanged(_)
        | UserEvent::UserErased(_) => None,
    }
}

#[async_trait]
impl Policy for EndWithAccount {
    type Command = End;

    fn declaration(&self) -> Declaration {
        END_WITH_ACCOUNT
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<End>, Failure> {
        let Some(ending) = ends_sessions(&event.decode(&event_schema(USER_EVENTS))?) else {
            return Ok(Vec::new());
        };
        let Self(service) = self;
        let now = service.platform.clock.now();
        let standing = service.standing.of(ending.user, now).await;
        let standing = standing.map_err(Failure::transient)?;
        let ends = standing
            .into_iter()
            .filter(|session| Some(*session) != ending.kept)
            .map(|session| End {
                session,
                reason: ending.reason,
            });
        Ok(ends.collect())
    }

    async fn execute(&self, event: &Recorded, end: End) -> Result<(), Failure> {
        let Self(service) = self;
        let id = end.session.to_string();
        let ctx = END_WITH_ACCOUNT.context(event, &id, service.platform.clock.now());
        let revoke = Command::Revoke(end.reason);
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
        events::{PasswordChanged, UserDeleted, UserRoleChanged, UserStatusChanged},
        user::{PasswordChange, Role},
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
    fn when_a_person_is_suspended_or_deleted_then_all_their_sessions_end() {
        let all = Ending {
            user: PERSON,
            reason: Revocation::Account,
            kept: None,
        };
        let deleted = UserDeleted {
            user_id: PERSON,
            email_key: "ab12".to_owned(),
        };
        assert_eq!(ends_sessions(&changed(UserStatus::Suspended)), Some(all));
        assert_eq!(ends_sessions(&deleted.into()), Some(all));
    }

    #[test]
    fn when_there_is_another_password_then_all_sessions_but_one_end() {
        let kept = Some(SessionId::new(Uuid::from_u128(2)));
        let changed = PasswordChanged {
            user_id: PERSON,
            reason: PasswordChange::Changed,
            kept_session_id: kept,
        };
        let others = Ending {
            user: PERSON,
            reason: Revocation::PasswordChanged,
            kept,
        };
        assert_eq!(ends_sessions(&changed.into()), Some(others));
    }

    #[test]
    fn when_an_account_rests_returns_or_gets_another_role_then_no_session_ends() {
        let promoted = UserRoleChanged {
            user_id: PERSON,
            from: Role::User,
            to: Role::Admin,
        };
        assert_eq!(ends_sessions(&changed(UserStatus::Inactive)), None);
        assert_eq!(ends_sessions(&changed(UserStatus::Active)), None);
        assert_eq!(ends_sessions(&promoted.into()), None);
    }
}
