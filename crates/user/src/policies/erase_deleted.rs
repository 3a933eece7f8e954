//! Whoever is deleted is erased: nothing that was sealed for them opens any more, in the log, its
//! replicas or a database.
//!
//! Each step can be done again, so that a stop between any two of them loses nothing: the event
//! comes again, and the steps with it.

use async_trait::async_trait;
use doran_contract::{
    UserId,
    events::{USER_EVENTS, UserEvent},
    subject::USER_STREAM,
};
use doran_eventstore::Recorded;
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};

use crate::{commands::SOURCE, state::Service, user::Command};

pub const ERASE_DELETED: Declaration = Declaration {
    service: SOURCE,
    name: "erase-deleted-people",
    version: 1,
    stream: USER_STREAM,
    filters: &["user.*.UserDeleted"],
    // Nobody who was deleted may be missed; who is erased already takes no harm.
    start: Start::All,
};

pub(crate) struct EraseDeleted(pub(crate) Service);

/// One step of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    DestroyKey(UserId),
    RemoveCredential(UserId),
    ForgetReset(UserId),
    /// What others were answered may show what this person said.
    ForgetAnswers,
    /// The last step: whoever reads it may rely on the others.
    NoteErasure(UserId),
}

fn react(event: &UserEvent) -> Vec<Step> {
    match event {
        UserEvent::UserDeleted(deleted) => {
            let user = deleted.user_id;
            vec![
                Step::DestroyKey(user),
                Step::RemoveCredential(user),
                Step::ForgetReset(user),
                Step::ForgetAnswers,
                Step::NoteErasure(user),
            ]
        }
        UserEvent::UserCreated(_)
        | UserEvent::UserProfileChanged(_)
        | UserEvent::UserEmailChanged(_)
        | UserEvent::UserSettingsChanged(_)
        | UserEvent::UserStatusChanged(_)
        | UserEvent::UserRoleChanged(_)
        | UserEvent::PasswordChanged(_)
        | UserEvent::UserErased(_) => Vec::new(),
    }
}

#[async_trait]
impl Policy for EraseDeleted {
    type Command = Step;

    fn declaration(&self) -> Declaration {
        ERASE_DELETED
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<Step>, Failure> {
        Ok(react(&event.decode(&event_schema(USER_EVENTS))?))
    }

    async fn execute(&self, event: &Recorded, step: Step) -> Result<(), Failure> {
        let Self(service) = self;
        match step {
            Step::DestroyKey(user) => {
                let destroyed = service.platform.keyring.destroy(user).await;
                destroyed.map_err(Failure::transient)
            }
            Step::RemoveCredential(user) => {
                let removed = service.credentials.remove(user).await;
                removed.map_err(Failure::transient)
            }
            Step::ForgetReset(user) => {
                let forgotten = service.reset_tokens.forget(user).await;
                forgotten.map_err(Failure::transient)
            }
            Step::ForgetAnswers => {
                let forgotten = service.platform.first_answers.forget_all().await;
                forgotten.map_err(Failure::transient)
            }
            Step::NoteErasure(user) => {
                let id = user.to_string();
                let ctx = ERASE_DELETED.context(event, &id, service.platform.clock.now());
                let noted = service.users.execute(&(), &id, Command::NoteErasure, &ctx);
                noted.await?;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use doran_contract::events::{UserDeleted, UserErased};
    use uuid::Uuid;

    use super::*;

    const PERSON: UserId = UserId::new(Uuid::from_u128(1));

    #[test]
    fn when_somebody_is_deleted_then_the_erasure_is_noted_after_everything_else() {
        let deleted = UserDeleted {
            user_id: PERSON,
            email_key: "ab12".to_owned(),
        };
        let steps = react(&deleted.into());
        assert_eq!(steps.last(), Some(&Step::NoteErasure(PERSON)));
        assert!(steps.contains(&Step::DestroyKey(PERSON)));
        assert!(steps.contains(&Step::RemoveCredential(PERSON)));
        assert!(steps.contains(&Step::ForgetAnswers));
    }

    #[test]
    fn when_somebody_is_erased_then_nothing_follows() {
        assert_eq!(react(&UserErased { user_id: PERSON }.into()), []);
    }
}
