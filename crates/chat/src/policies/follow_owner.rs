//! Rooms follow their owner's account: INACTIVE restricts them, SUSPENDED deactivates them, ACTIVE
//! takes exactly that back.

use async_trait::async_trait;
use doran_contract::{
    RoomId,
    events::{OwnerChange, USER_EVENTS, UserEvent},
    subject::USER_STREAM,
    user::UserStatus,
};
use doran_eventstore::Recorded;
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};

use crate::{commands::SOURCE, room, state::Service};

pub const FOLLOW_OWNER: Declaration = Declaration {
    service: SOURCE,
    name: "rooms-follow-owner",
    version: 1,
    stream: USER_STREAM,
    filters: &["user.*.UserStatusChanged"],
    start: Start::New,
};

pub(crate) struct FollowOwner(pub(crate) Service);

/// One room is to follow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Follow {
    room: RoomId,
    status: UserStatus,
    because: OwnerChange,
}

/// What a change of an account asks of the rooms that the person owns. A room that is so already
/// says so itself.
fn react(event: &UserEvent, sequence: u64, owned: &[RoomId]) -> Vec<Follow> {
    match event {
        UserEvent::UserStatusChanged(changed) => {
            let because = OwnerChange {
                user_id: changed.user_id,
                sequence,
            };
            let follow = |room: &RoomId| Follow {
                room: *room,
                status: changed.to,
                because,
            };
            owned.iter().map(follow).collect()
        }
        UserEvent::UserCreated(_)
        | UserEvent::UserProfileChanged(_)
        | UserEvent::UserEmailChanged(_)
        | UserEvent::UserSettingsChanged(_)
        | UserEvent::UserRoleChanged(_)
        | UserEvent::PasswordChanged(_)
        | UserEvent::UserDeleted(_)
        | UserEvent::UserErased(_) => Vec::new(),
    }
}

#[async_trait]
impl Policy for FollowOwner {
    type Command = Follow;

    fn declaration(&self) -> Declaration {
        FOLLOW_OWNER
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<Follow>, Failure> {
        let user_event: UserEvent = event.decode(&event_schema(USER_EVENTS))?;
        let owner = match &user_event {
            UserEvent::UserStatusChanged(changed) => changed.user_id,
            UserEvent::UserCreated(_)
            | UserEvent::UserProfileChanged(_)
            | UserEvent::UserEmailChanged(_)
            | UserEvent::UserSettingsChanged(_)
            | UserEvent::UserRoleChanged(_)
            | UserEvent::PasswordChanged(_)
            | UserEvent::UserDeleted(_)
            | UserEvent::UserErased(_) => return Ok(Vec::new()),
        };
        let owned = self.0.directory.owned_by(owner).await;
        let owned = owned.map_err(Failure::transient)?;
        Ok(react(&user_event, event.sequence, &owned))
    }

    async fn execute(&self, event: &Recorded, follow: Follow) -> Result<(), Failure> {
        let Self(service) = self;
        let id = follow.room.to_string();
        let ctx = FOLLOW_OWNER.context(event, &id, service.platform.clock.now());
        let command = room::Command::FollowOwner {
            status: follow.status,
            because: follow.because,
        };
        service.rooms.execute(&(), &id, command, &ctx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use doran_contract::{
        UserId,
        events::{UserRoleChanged, UserStatusChanged},
        user::Role,
    };
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const ROOMS: [RoomId; 2] = [
        RoomId::new(Uuid::from_u128(10)),
        RoomId::new(Uuid::from_u128(11)),
    ];

    fn changed(to: UserStatus) -> UserEvent {
        UserStatusChanged {
            user_id: OWNER,
            from: UserStatus::Active,
            to,
        }
        .into()
    }

    #[test]
    fn given_rooms_when_the_owners_status_changes_then_each_follows() {
        for status in [
            UserStatus::Active,
            UserStatus::Inactive,
            UserStatus::Suspended,
        ] {
            let because = OwnerChange {
                user_id: OWNER,
                sequence: 7,
            };
            let follow = |room| Follow {
                room,
                status,
                because,
            };
            assert_eq!(react(&changed(status), 7, &ROOMS), ROOMS.map(follow));
        }
    }

    #[test]
    fn given_no_rooms_when_the_status_changes_then_nothing_follows() {
        assert_eq!(react(&changed(UserStatus::Suspended), 7, &[]), []);
    }

    #[test]
    fn given_rooms_when_the_owners_role_changes_then_nothing_follows() {
        let promoted = UserRoleChanged {
            user_id: OWNER,
            from: Role::User,
            to: Role::Admin,
        };
        assert_eq!(react(&promoted.into(), 7, &ROOMS), []);
    }
}
