//! Who may do what: every command, by every role, in an active and in an archived room.

use cqrs_es::test::TestFramework;
use doran_contract::{
    RoomId, Timestamp, UserId,
    events::{
        ChatRoomArchived, ChatRoomCreated, ChatRoomDeleted, FirstMember, InviteCreated,
        MemberBanned, MemberJoined, MemberUnbanned, RoomEvent,
    },
    room::{RoomKind, RoomRole, Settings, Visibility},
};
use uuid::Uuid;

use super::{Change, Command, Error, Invitation, Room};

const ROOM: RoomId = RoomId::new(Uuid::from_u128(1));
const OWNER: UserId = UserId::new(Uuid::from_u128(10));
const ADMIN: UserId = UserId::new(Uuid::from_u128(11));
const MEMBER: UserId = UserId::new(Uuid::from_u128(12));
const OTHER: UserId = UserId::new(Uuid::from_u128(13));
const STRANGER: UserId = UserId::new(Uuid::from_u128(14));
const BANNED: UserId = UserId::new(Uuid::from_u128(15));

fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp(second, 0).unwrap().into()
}

/// A room with somebody of each role, somebody who is banned, and an invite for one.
fn history(kind: RoomKind, visibility: Visibility) -> Vec<RoomEvent> {
    let first = |user_id, role| FirstMember { user_id, role };
    let created = ChatRoomCreated {
        room_id: ROOM,
        name: "회의".to_owned(),
        description: None,
        kind,
        visibility,
        owner_id: OWNER,
        bot_id: None,
        members: vec![
            first(OWNER, RoomRole::Owner),
            first(ADMIN, RoomRole::Admin),
            first(MEMBER, RoomRole::Member),
            first(OTHER, RoomRole::Member),
        ],
    };
    let banned = MemberBanned {
        room_id: ROOM,
        user_id: BANNED,
        banned_by: OWNER,
    };
    let invite = InviteCreated {
        room_id: ROOM,
        invite_key: "key".to_owned(),
        created_by: OWNER,
        created_at: at(0),
        expires_at: at(100),
        max_uses: Some(1),
    };
    vec![created.into(), banned.into(), invite.into()]
}

fn archived() -> RoomEvent {
    ChatRoomArchived {
        room_id: ROOM,
        archived_by: OWNER,
    }
    .into()
}

fn unbanned() -> RoomEvent {
    MemberUnbanned {
        room_id: ROOM,
        user_id: BANNED,
        unbanned_by: OWNER,
    }
    .into()
}

/// How many events the command leads to.
fn decide(events: Vec<RoomEvent>, command: Command) -> Result<usize, Error> {
    let decided = TestFramework::<Room>::with(()).given(events).when(command);
    decided.inspect_result().map(|events| events.len())
}

fn rename(actor: UserId) -> Command {
    let name = Some("새 이름".to_owned());
    let change = Change {
        name,
        ..Change::default()
    };
    Command::Change { actor, change }
}

fn open_to_all(actor: UserId) -> Command {
    let change = Change {
        visibility: Some(Visibility::Public),
        ..Change::default()
    };
    Command::Change { actor, change }
}

fn set(actor: UserId) -> Command {
    let settings: Settings = [("theme".to_owned(), "dark".into())].into_iter().collect();
    let change = Change {
        settings: Some(settings),
        ..Change::default()
    };
    Command::Change { actor, change }
}

fn add(actor: UserId, user: UserId) -> Command {
    Command::AddMembers {
        actor,
        users: vec![user],
        role: RoomRole::Member,
    }
}

fn promote(actor: UserId, user: UserId) -> Command {
    let role = RoomRole::Admin;
    Command::ChangeRole { actor, user, role }
}

fn invite(actor: UserId) -> Command {
    let invitation = Invitation {
        key: "new".to_owned(),
        now: at(1),
        expires_at: at(50),
        max_uses: None,
    };
    Command::Invite { actor, invitation }
}

fn accept(actor: UserId, second: i64) -> Command {
    Command::AcceptInvite {
        actor,
        invite_key: "key".to_owned(),
        now: at(second),
    }
}

/// A command by name, for whoever gives it.
type Made = (&'static str, fn(UserId) -> Command);

const FOR_ADMINS: [Made; 7] = [
    ("rename", rename),
    ("add", |actor| add(actor, STRANGER)),
    ("remove", |actor| Command::RemoveMember {
        actor,
        user: OTHER,
    }),
    ("ban", |actor| Command::Ban { actor, user: OTHER }),
    ("ban a stranger", |actor| Command::Ban {
        actor,
        user: STRANGER,
    }),
    ("unban", |actor| Command::Unban {
        actor,
        user: BANNED,
    }),
    ("invite", invite),
];

const FOR_THE_OWNER: [Made; 4] = [
    ("open to all", open_to_all),
    ("set", set),
    ("promote", |actor| promote(actor, MEMBER)),
    ("archive", |actor| Command::Archive { actor }),
];

#[test]
fn each_command_is_for_those_whose_role_allows_it() {
    let room = || history(RoomKind::Group, Visibility::Private);
    for (name, command) in FOR_ADMINS {
        for (actor, expected) in [
            (OWNER, Ok(1)),
            (ADMIN, Ok(1)),
            (MEMBER, Err(Error::NotAnAdmin)),
            (STRANGER, Err(Error::NotAMember)),
            (BANNED, Err(Error::NotAMember)),
        ] {
            assert_eq!(decide(room(), command(actor)), expected, "{name} {actor}");
        }
    }
    for (name, command) in FOR_THE_OWNER {
        assert_eq!(decide(room(), command(OWNER)), Ok(1), "{name}");
        assert_eq!(
            decide(room(), command(ADMIN)),
            Err(Error::NotTheOwner),
            "{name}"
        );
        assert!(decide(room(), command(MEMBER)).is_err(), "{name}");
        for outside in [STRANGER, BANNED] {
            assert_eq!(
                decide(room(), command(outside)),
                Err(Error::NotAMember),
                "{name}"
            );
        }
    }
    for (actor, expected) in [
        (OWNER, Ok(1)),
        (ADMIN, Err(Error::NotTheOwner)),
        (MEMBER, Err(Error::NotTheOwner)),
        (STRANGER, Err(Error::NotAMember)),
    ] {
        assert_eq!(
            decide(room(), Command::Delete { actor }),
            expected,
            "{actor}"
        );
    }
}

#[test]
fn an_archived_room_stays_as_it_is_until_the_owner_opens_it() {
    let room = || {
        let mut events = history(RoomKind::Group, Visibility::Public);
        events.push(archived());
        events
    };
    for (name, command) in FOR_ADMINS {
        assert_eq!(
            decide(room(), command(OWNER)),
            Err(Error::Archived),
            "{name}"
        );
    }
    let actor = STRANGER;
    assert_eq!(
        decide(room(), Command::Join { actor }),
        Err(Error::Archived)
    );
    assert_eq!(decide(room(), accept(STRANGER, 1)), Err(Error::Archived));
    assert_eq!(decide(room(), Command::Archive { actor: OWNER }), Ok(0));
    assert_eq!(decide(room(), Command::Unarchive { actor: OWNER }), Ok(1));
    let by_admin = Command::Unarchive { actor: ADMIN };
    assert_eq!(decide(room(), by_admin), Err(Error::NotTheOwner));
    assert_eq!(decide(room(), Command::Leave { actor: MEMBER }), Ok(1));
    assert_eq!(decide(room(), Command::Delete { actor: OWNER }), Ok(1));
}

#[test]
fn who_is_banned_stays_out_on_every_way_until_unbanned() {
    let room = || history(RoomKind::Group, Visibility::Public);
    let ways: [Made; 2] = [
        ("join", |actor| Command::Join { actor }),
        ("accept", |actor| accept(actor, 1)),
    ];
    for (name, way) in ways {
        assert_eq!(decide(room(), way(BANNED)), Err(Error::Banned), "{name}");
        let mut events = room();
        events.push(unbanned());
        assert_eq!(decide(events, way(BANNED)), Ok(1), "{name}");
    }
    assert_eq!(decide(room(), add(OWNER, BANNED)), Err(Error::IsBanned));
    let again = Command::Ban {
        actor: ADMIN,
        user: BANNED,
    };
    assert_eq!(decide(room(), again), Ok(0));
}

#[test]
fn nobody_bans_or_demotes_the_owner_nor_bans_themselves() {
    let room = || history(RoomKind::Group, Visibility::Private);
    let ban = |actor, user| Command::Ban { actor, user };
    assert_eq!(decide(room(), ban(ADMIN, OWNER)), Err(Error::OwnerStays));
    assert_eq!(decide(room(), ban(ADMIN, ADMIN)), Err(Error::NotYourself));
    assert_eq!(
        decide(room(), promote(OWNER, OWNER)),
        Err(Error::OwnerStays)
    );
    assert_eq!(
        decide(room(), promote(OWNER, STRANGER)),
        Err(Error::NoSuchMember)
    );
    assert_eq!(decide(room(), promote(OWNER, ADMIN)), Ok(0));
}

#[test]
fn an_invite_lets_in_as_many_as_it_says_and_not_after_its_end() {
    let room = || history(RoomKind::Group, Visibility::Private);
    assert_eq!(decide(room(), accept(STRANGER, 99)), Ok(1));
    assert_eq!(
        decide(room(), accept(STRANGER, 100)),
        Err(Error::NoSuchInvite)
    );
    assert_eq!(decide(room(), accept(MEMBER, 1)), Ok(0));
    let unknown = Command::AcceptInvite {
        actor: STRANGER,
        invite_key: "other".to_owned(),
        now: at(1),
    };
    assert_eq!(decide(room(), unknown), Err(Error::NoSuchInvite));
    let mut used = room();
    let joined = MemberJoined {
        room_id: ROOM,
        user_id: OTHER,
        role: RoomRole::Member,
        added_by: None,
        invite_key: Some("key".to_owned()),
    };
    used.push(joined.into());
    assert_eq!(decide(used, accept(STRANGER, 1)), Err(Error::NoSuchInvite));
}

#[test]
fn a_direct_room_stays_with_its_two_and_is_hidden() {
    let room = || history(RoomKind::Direct, Visibility::Private);
    for command in [
        Command::Leave { actor: MEMBER },
        Command::RemoveMember {
            actor: OWNER,
            user: MEMBER,
        },
        Command::Ban {
            actor: OWNER,
            user: MEMBER,
        },
        Command::Delete { actor: OWNER },
        promote(OWNER, MEMBER),
        invite(OWNER),
        open_to_all(OWNER),
    ] {
        let decided = decide(room(), command.clone());
        assert_eq!(decided, Err(Error::DirectStays), "{command:?}");
    }
    assert_eq!(decide(room(), rename(OWNER)), Ok(1));
}

#[test]
fn a_deleted_room_is_gone_for_everybody() {
    let mut events = history(RoomKind::Group, Visibility::Public);
    let deleted = ChatRoomDeleted {
        room_id: ROOM,
        deleted_by: OWNER,
    };
    events.push(deleted.into());
    for command in [
        rename(OWNER),
        Command::Delete { actor: OWNER },
        Command::Join { actor: STRANGER },
        accept(STRANGER, 1),
    ] {
        let decided = decide(events.clone(), command.clone());
        assert_eq!(decided, Err(Error::NotFound), "{command:?}");
    }
}
