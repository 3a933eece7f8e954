//! Whoever is deleted leaves every room. Rooms that they own pass to the admin who has been there
//! longest, else to the member who has; without anybody they are over.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use doran_contract::{
    RoomId, UserId,
    events::{OwnerChange, USER_EVENTS, UserEvent},
    subject::USER_STREAM,
    user::UserStatus,
};
use doran_eventstore::Recorded;
use doran_platform::{directory::Membership, event_schema};
use doran_projection::policy::{Declaration, Failure, Policy, Start};

use crate::{commands::SOURCE, room, state::Service};

pub const LET_DELETED_GO: Declaration = Declaration {
    service: SOURCE,
    name: "rooms-let-deleted-people-go",
    version: 1,
    stream: USER_STREAM,
    filters: &["user.*.UserDeleted"],
    // Nobody who was deleted may be missed; who is gone already is not in any room.
    start: Start::All,
};

pub(crate) struct LetDeletedGo(pub(crate) Service);

/// One room is to let somebody go.
pub(crate) struct LetGo {
    room: RoomId,
    user: UserId,
    heir: Option<UserId>,
}

fn deleted(event: &UserEvent) -> Option<UserId> {
    match event {
        UserEvent::UserDeleted(deleted) => Some(deleted.user_id),
        UserEvent::UserCreated(_)
        | UserEvent::UserProfileChanged(_)
        | UserEvent::UserEmailChanged(_)
        | UserEvent::UserSettingsChanged(_)
        | UserEvent::UserStatusChanged(_)
        | UserEvent::UserRoleChanged(_)
        | UserEvent::PasswordChanged(_)
        | UserEvent::UserErased(_) => None,
    }
}

/// Who gets the room of `owner`, of those whose account is active.
fn heir(
    members: &HashMap<UserId, Membership>,
    owner: UserId,
    is_active: impl Fn(UserId) -> bool,
) -> Option<UserId> {
    let others = members
        .iter()
        .filter(|(user, _)| **user != owner && is_active(**user));
    let first = others.max_by_key(|(user, member)| {
        let since = member.joined_at.as_datetime();
        (member.role, Reverse((since, **user)))
    });
    first.map(|(user, _)| *user)
}

#[async_trait]
impl Policy for LetDeletedGo {
    type Command = LetGo;

    fn declaration(&self) -> Declaration {
        LET_DELETED_GO
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<LetGo>, Failure> {
        let Some(user) = deleted(&event.decode(&event_schema(USER_EVENTS))?) else {
            return Ok(Vec::new());
        };
        let Self(service) = self;
        let rooms = service.directory.with_member(user).await;
        let rooms = rooms.map_err(Failure::transient)?;
        let is_active = |user| {
            let account = service.platform.users.get(user);
            account.is_some_and(|account| account.status == UserStatus::Active)
        };
        let let_go = |room| LetGo {
            room,
            user,
            heir: service
                .directory
                .look(room, |entry| heir(&entry.members, user, is_active))
                .flatten(),
        };
        Ok(rooms.into_iter().map(let_go).collect())
    }

    async fn execute(&self, event: &Recorded, let_go: LetGo) -> Result<(), Failure> {
        let Self(service) = self;
        let id = let_go.room.to_string();
        let ctx = LET_DELETED_GO.context(event, &id, service.platform.clock.now());
        let command = room::Command::LetGo {
            user: let_go.user,
            heir: let_go.heir,
            because: OwnerChange {
                user_id: let_go.user,
                sequence: event.sequence,
            },
        };
        service.rooms.execute(&(), &id, command, &ctx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use doran_contract::room::RoomRole;
    use uuid::Uuid;

    use super::*;

    fn person(number: u128) -> UserId {
        UserId::new(Uuid::from_u128(number))
    }

    fn room(members: &[(u128, RoomRole, i64)]) -> HashMap<UserId, Membership> {
        let membership = |(number, role, second): &(u128, RoomRole, i64)| {
            let joined_at = DateTime::from_timestamp(*second, 0).unwrap().into();
            (
                person(*number),
                Membership {
                    role: *role,
                    joined_at,
                },
            )
        };
        members.iter().map(membership).collect()
    }

    #[test]
    fn the_admin_who_came_first_inherits_before_any_member() {
        let all = room(&[
            (1, RoomRole::Owner, 0),
            (2, RoomRole::Member, 1),
            (3, RoomRole::Admin, 3),
            (4, RoomRole::Admin, 2),
        ]);
        assert_eq!(heir(&all, person(1), |_| true), Some(person(4)));
        let rests = |user| user != person(4) && user != person(3);
        assert_eq!(heir(&all, person(1), rests), Some(person(2)));
        assert_eq!(heir(&all, person(1), |_| false), None);
    }

    #[test]
    fn of_those_who_came_together_always_the_same_inherits() {
        let all = room(&[
            (1, RoomRole::Owner, 0),
            (3, RoomRole::Member, 0),
            (2, RoomRole::Member, 0),
        ]);
        assert_eq!(heir(&all, person(1), |_| true), Some(person(2)));
    }
}
