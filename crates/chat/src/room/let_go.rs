//! What becomes of a room when the account of somebody in it is deleted.

use doran_contract::{
    UserId,
    events::{
        MemberRemoved, MemberRoleChanged, OwnerChange, RoomDeactivated, RoomEvent, RoomReactivated,
    },
    room::{RoomKind, RoomRole},
};

use super::{details::Details, follow::Imposed};

impl Details {
    /// Members go. A group passes to the heir; without one, and for a pair, it is over: nothing
    /// new is said in it.
    pub(super) fn decide_let_go(
        &self,
        user: UserId,
        heir: Option<UserId>,
        because: OwnerChange,
    ) -> Vec<RoomEvent> {
        let Some(role) = self.members.get(&user) else {
            return Vec::new();
        };
        match (self.kind, role) {
            (RoomKind::Direct, _) => self.end(because),
            (RoomKind::Group | RoomKind::Bot, RoomRole::Admin | RoomRole::Member) => {
                vec![self.gone(user)]
            }
            (RoomKind::Group | RoomKind::Bot, RoomRole::Owner) => {
                let heir = heir.filter(|heir| *heir != user && self.members.contains_key(heir));
                let mut events = match heir {
                    Some(heir) => self.pass_on(user, heir, because),
                    None => self.end(because),
                };
                events.push(self.gone(user));
                events
            }
        }
    }

    /// What the account of the owner before did to the room ends with it.
    fn pass_on(&self, from: UserId, to: UserId, because: OwnerChange) -> Vec<RoomEvent> {
        let room_id = self.id;
        let reactivated = RoomReactivated { room_id, because };
        let reactivated = self.imposed.map(|_| reactivated.into());
        let passed = MemberRoleChanged {
            room_id,
            user_id: to,
            role: RoomRole::Owner,
            changed_by: from,
        };
        reactivated.into_iter().chain([passed.into()]).collect()
    }

    fn end(&self, because: OwnerChange) -> Vec<RoomEvent> {
        let deactivated = RoomDeactivated {
            room_id: self.id,
            because,
        };
        match self.imposed {
            Some(Imposed::Deactivation) => Vec::new(),
            Some(Imposed::Restriction) | None => vec![deactivated.into()],
        }
    }

    fn gone(&self, user_id: UserId) -> RoomEvent {
        let removed = MemberRemoved {
            room_id: self.id,
            user_id,
            removed_by: None,
        };
        removed.into()
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateTestExecutor, TestFramework};
    use doran_contract::{
        RoomId,
        events::{ChatRoomCreated, FirstMember, RoomRestricted},
        room::Visibility,
    };
    use uuid::Uuid;

    use super::*;
    use crate::room::{Command, Room};

    const ROOM: RoomId = RoomId::new(Uuid::from_u128(9));
    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const HEIR: UserId = UserId::new(Uuid::from_u128(2));
    const BECAUSE: OwnerChange = OwnerChange {
        user_id: OWNER,
        sequence: 7,
    };

    fn created(kind: RoomKind, members: &[UserId]) -> RoomEvent {
        let role_of = |user_id| {
            let is_owner = user_id == OWNER;
            let role = if is_owner {
                RoomRole::Owner
            } else {
                RoomRole::Member
            };
            FirstMember { user_id, role }
        };
        ChatRoomCreated {
            room_id: ROOM,
            name: "room".to_owned(),
            description: None,
            kind,
            visibility: Visibility::Private,
            owner_id: OWNER,
            bot_id: None,
            members: members.iter().copied().map(role_of).collect(),
        }
        .into()
    }

    fn removed(user_id: UserId) -> RoomEvent {
        MemberRemoved {
            room_id: ROOM,
            user_id,
            removed_by: None,
        }
        .into()
    }

    fn passed_on() -> RoomEvent {
        MemberRoleChanged {
            room_id: ROOM,
            user_id: HEIR,
            role: RoomRole::Owner,
            changed_by: OWNER,
        }
        .into()
    }

    fn deactivated() -> RoomEvent {
        RoomDeactivated {
            room_id: ROOM,
            because: BECAUSE,
        }
        .into()
    }

    fn given(events: Vec<RoomEvent>) -> AggregateTestExecutor<Room> {
        TestFramework::with(()).given(events)
    }

    fn let_go(user: UserId, heir: Option<UserId>) -> Command {
        let because = OwnerChange {
            user_id: OWNER,
            ..BECAUSE
        };
        Command::LetGo {
            user,
            heir,
            because,
        }
    }

    #[test]
    fn a_member_goes_and_the_room_stays_as_it_is() {
        given(vec![created(RoomKind::Group, &[OWNER, HEIR])])
            .when(let_go(HEIR, None))
            .then_expect_events(vec![removed(HEIR)]);
        given(vec![
            created(RoomKind::Group, &[OWNER, HEIR]),
            removed(HEIR),
        ])
        .when(let_go(HEIR, None))
        .then_expect_events(vec![]);
    }

    #[test]
    fn a_group_passes_to_the_heir_and_is_free_of_what_the_owners_account_did_to_it() {
        let room = created(RoomKind::Group, &[OWNER, HEIR]);
        given(vec![room.clone()])
            .when(let_go(OWNER, Some(HEIR)))
            .then_expect_events(vec![passed_on(), removed(OWNER)]);
        let restricted = RoomRestricted {
            room_id: ROOM,
            because: OwnerChange {
                sequence: 3,
                ..BECAUSE
            },
        };
        let reactivated = RoomReactivated {
            room_id: ROOM,
            because: BECAUSE,
        };
        given(vec![room.clone(), restricted.into()])
            .when(let_go(OWNER, Some(HEIR)))
            .then_expect_events(vec![reactivated.into(), passed_on(), removed(OWNER)]);
        // The heir may do what an owner may.
        given(vec![room, passed_on(), removed(OWNER)])
            .when(Command::Archive { actor: HEIR })
            .then_expect_events(vec![
                doran_contract::events::ChatRoomArchived {
                    room_id: ROOM,
                    archived_by: HEIR,
                }
                .into(),
            ]);
    }

    #[test]
    fn a_group_without_an_heir_and_the_room_of_a_pair_are_over() {
        given(vec![created(RoomKind::Group, &[OWNER])])
            .when(let_go(OWNER, None))
            .then_expect_events(vec![deactivated(), removed(OWNER)]);
        let pair = created(RoomKind::Direct, &[OWNER, HEIR]);
        given(vec![pair.clone()])
            .when(let_go(OWNER, Some(HEIR)))
            .then_expect_events(vec![deactivated()]);
        given(vec![pair, deactivated()])
            .when(let_go(OWNER, Some(HEIR)))
            .then_expect_events(vec![]);
    }
}
