use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use doran_contract::{
    RoomId, UserId,
    events::{
        ChatRoomCreated, ChatRoomDescribed, ChatRoomRenamed, FirstMember, MemberJoined,
        MemberRemoved, OwnerChange, RoomDeactivated, RoomEvent, RoomReactivated, RoomRestricted,
    },
    room::{RoomKind, RoomRole, Visibility},
    user::UserStatus,
};
use uuid::Uuid;

use super::{Change, Command, Creation, Error, Room};

const ROOM: RoomId = RoomId::new(Uuid::from_u128(1));
const OWNER: UserId = UserId::new(Uuid::from_u128(10));
const ADMIN: UserId = UserId::new(Uuid::from_u128(11));
const MEMBER: UserId = UserId::new(Uuid::from_u128(12));
const STRANGER: UserId = UserId::new(Uuid::from_u128(13));

fn given(events: Vec<RoomEvent>) -> AggregateTestExecutor<Room> {
    TestFramework::with(()).given(events)
}

fn first(user_id: UserId, role: RoomRole) -> FirstMember {
    FirstMember { user_id, role }
}

/// A room of an owner and a member.
fn created(kind: RoomKind, visibility: Visibility) -> RoomEvent {
    ChatRoomCreated {
        room_id: ROOM,
        name: "회의".to_owned(),
        description: None,
        kind,
        visibility,
        owner_id: OWNER,
        bot_id: None,
        members: vec![
            first(OWNER, RoomRole::Owner),
            first(MEMBER, RoomRole::Member),
        ],
    }
    .into()
}

fn private() -> RoomEvent {
    created(RoomKind::Group, Visibility::Private)
}

fn joined(user_id: UserId, role: RoomRole, added_by: Option<UserId>) -> RoomEvent {
    MemberJoined {
        room_id: ROOM,
        user_id,
        role,
        added_by,
        invite_key: None,
    }
    .into()
}

fn removed(user_id: UserId, removed_by: Option<UserId>) -> RoomEvent {
    MemberRemoved {
        room_id: ROOM,
        user_id,
        removed_by,
    }
    .into()
}

fn creation(kind: RoomKind, members: Vec<UserId>) -> Command {
    Command::Create(Creation {
        room_id: ROOM,
        name: "회의".to_owned(),
        description: None,
        kind,
        visibility: Visibility::Private,
        owner_id: OWNER,
        bot_id: None,
        members,
    })
}

fn rename(actor: UserId, name: &str) -> Command {
    let change = Change {
        name: Some(name.to_owned()),
        ..Change::default()
    };
    Command::Change { actor, change }
}

fn add(actor: UserId, users: &[UserId], role: RoomRole) -> Command {
    Command::AddMembers {
        actor,
        users: users.to_vec(),
        role,
    }
}

#[test]
fn whoever_makes_a_room_owns_it_and_nobody_is_in_it_twice() {
    given(vec![])
        .when(creation(RoomKind::Group, vec![MEMBER, OWNER, MEMBER]))
        .then_expect_events(vec![private()]);
}

#[test]
fn making_a_room_again_changes_nothing() {
    given(vec![private()])
        .when(creation(RoomKind::Group, vec![]))
        .then_expect_events(vec![]);
}

#[test]
fn a_direct_room_is_for_two() {
    given(vec![])
        .when(creation(RoomKind::Direct, vec![]))
        .then_expect_error(Error::DirectIsForTwo);
    given(vec![created(RoomKind::Direct, Visibility::Private)])
        .when(add(OWNER, &[STRANGER], RoomRole::Member))
        .then_expect_error(Error::Full);
}

#[test]
fn nothing_can_be_done_in_a_room_that_is_not_there() {
    given(vec![])
        .when(rename(OWNER, "x"))
        .then_expect_error(Error::NotFound);
}

#[test]
fn the_owner_renames_a_room_once() {
    let renamed: RoomEvent = ChatRoomRenamed {
        room_id: ROOM,
        name: "새 이름".to_owned(),
    }
    .into();
    given(vec![private()])
        .when(rename(OWNER, "새 이름"))
        .then_expect_events(vec![renamed.clone()]);
    given(vec![private(), renamed])
        .when(rename(OWNER, "새 이름"))
        .then_expect_events(vec![]);
}

#[test]
fn a_description_can_be_taken_away() {
    let described = |description: Option<&str>| -> RoomEvent {
        ChatRoomDescribed {
            room_id: ROOM,
            description: description.map(str::to_owned),
        }
        .into()
    };
    let change = Change {
        description: Some(None),
        ..Change::default()
    };
    let actor = OWNER;
    given(vec![private(), described(Some("매주"))])
        .when(Command::Change { actor, change })
        .then_expect_events(vec![described(None)]);
}

#[test]
fn members_and_strangers_do_not_rename() {
    given(vec![private()])
        .when(rename(MEMBER, "x"))
        .then_expect_error(Error::NotAnAdmin);
    given(vec![private()])
        .when(rename(STRANGER, "x"))
        .then_expect_error(Error::NotAMember);
}

#[test]
fn adding_those_who_are_there_adds_the_others_only() {
    given(vec![private()])
        .when(add(OWNER, &[MEMBER, STRANGER], RoomRole::Member))
        .then_expect_events(vec![joined(STRANGER, RoomRole::Member, Some(OWNER))]);
}

#[test]
fn only_the_owner_makes_admins() {
    let with_admin = vec![private(), joined(ADMIN, RoomRole::Admin, Some(OWNER))];
    given(with_admin.clone())
        .when(add(ADMIN, &[STRANGER], RoomRole::Admin))
        .then_expect_error(Error::NotTheOwner);
    given(with_admin)
        .when(add(ADMIN, &[STRANGER], RoomRole::Member))
        .then_expect_events(vec![joined(STRANGER, RoomRole::Member, Some(ADMIN))]);
}

#[test]
fn nobody_removes_the_owner_and_the_owner_cannot_leave() {
    let with_admin = vec![private(), joined(ADMIN, RoomRole::Admin, Some(OWNER))];
    given(with_admin)
        .when(Command::RemoveMember {
            actor: ADMIN,
            user: OWNER,
        })
        .then_expect_error(Error::OwnerStays);
    given(vec![private()])
        .when(Command::Leave { actor: OWNER })
        .then_expect_error(Error::OwnerCannotLeave);
}

#[test]
fn who_left_is_a_member_no_more() {
    given(vec![private()])
        .when(Command::Leave { actor: MEMBER })
        .then_expect_events(vec![removed(MEMBER, None)]);
    given(vec![private(), removed(MEMBER, None)])
        .when(Command::Leave { actor: MEMBER })
        .then_expect_error(Error::NotAMember);
}

#[test]
fn a_private_room_is_not_joined_and_a_public_one_once() {
    given(vec![private()])
        .when(Command::Join { actor: STRANGER })
        .then_expect_error(Error::Private);
    let public = created(RoomKind::Group, Visibility::Public);
    given(vec![public.clone()])
        .when(Command::Join { actor: STRANGER })
        .then_expect_events(vec![joined(STRANGER, RoomRole::Member, None)]);
    given(vec![public, joined(STRANGER, RoomRole::Member, None)])
        .when(Command::Join { actor: STRANGER })
        .then_expect_events(vec![]);
}

fn change_of(user_id: UserId, sequence: u64) -> OwnerChange {
    OwnerChange { user_id, sequence }
}

fn follow(status: UserStatus, sequence: u64) -> Command {
    let because = change_of(OWNER, sequence);
    Command::FollowOwner { status, because }
}

fn restricted(sequence: u64) -> RoomEvent {
    let because = change_of(OWNER, sequence);
    let room_id = ROOM;
    RoomRestricted { room_id, because }.into()
}

fn deactivated(sequence: u64) -> RoomEvent {
    let because = change_of(OWNER, sequence);
    let room_id = ROOM;
    RoomDeactivated { room_id, because }.into()
}

fn reactivated(sequence: u64) -> RoomEvent {
    let because = change_of(OWNER, sequence);
    let room_id = ROOM;
    RoomReactivated { room_id, because }.into()
}

#[test]
fn a_room_is_restricted_deactivated_and_reactivated_with_its_owner() {
    let (inactive, suspended) = (UserStatus::Inactive, UserStatus::Suspended);
    given(vec![private()])
        .when(follow(inactive, 5))
        .then_expect_events(vec![restricted(5)]);
    given(vec![private()])
        .when(follow(suspended, 5))
        .then_expect_events(vec![deactivated(5)]);
    given(vec![private(), restricted(5)])
        .when(follow(suspended, 6))
        .then_expect_events(vec![deactivated(6)]);
    given(vec![private(), deactivated(5)])
        .when(follow(inactive, 6))
        .then_expect_events(vec![restricted(6)]);
    for imposed in [restricted(5), deactivated(5)] {
        given(vec![private(), imposed])
            .when(follow(UserStatus::Active, 6))
            .then_expect_events(vec![reactivated(6)]);
    }
}

#[test]
fn a_room_that_is_so_already_follows_without_an_event() {
    for (history, status) in [
        (vec![private()], UserStatus::Active),
        (vec![private(), restricted(5)], UserStatus::Inactive),
        (vec![private(), deactivated(5)], UserStatus::Suspended),
        (
            vec![private(), deactivated(5), reactivated(6)],
            UserStatus::Active,
        ),
    ] {
        given(history)
            .when(follow(status, 7))
            .then_expect_events(vec![]);
    }
}

#[test]
fn a_room_follows_neither_an_older_change_nor_somebody_elses() {
    let history = vec![private(), deactivated(5), reactivated(8)];
    for sequence in [5, 7, 8] {
        given(history.clone())
            .when(follow(UserStatus::Suspended, sequence))
            .then_expect_events(vec![]);
    }
    let of_a_member = Command::FollowOwner {
        status: UserStatus::Suspended,
        because: change_of(MEMBER, 9),
    };
    given(history).when(of_a_member).then_expect_events(vec![]);
    given(vec![])
        .when(follow(UserStatus::Suspended, 9))
        .then_expect_error_message("room not found");
}

#[test]
fn nothing_but_leaving_is_done_in_a_room_that_is_not_active() {
    let open = created(RoomKind::Group, Visibility::Public);
    for imposed in [restricted(5), deactivated(5)] {
        let add = Command::AddMembers {
            actor: OWNER,
            users: vec![STRANGER],
            role: RoomRole::Member,
        };
        let remove = Command::RemoveMember {
            actor: OWNER,
            user: MEMBER,
        };
        for command in [
            rename(OWNER, "다른 이름"),
            add,
            remove,
            Command::Join { actor: STRANGER },
        ] {
            given(vec![open.clone(), imposed.clone()])
                .when(command)
                .then_expect_error_message("the room is not active");
        }
        given(vec![open.clone(), imposed])
            .when(Command::Leave { actor: MEMBER })
            .then_expect_events(vec![removed(MEMBER, None)]);
    }
}
