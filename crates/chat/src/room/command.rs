//! What somebody wants of a room. Each names who wants it.

use doran_contract::{
    RoomId, Timestamp, UserId,
    events::OwnerChange,
    room::{RoomKind, RoomRole, Settings, Visibility},
    user::UserStatus,
};

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Create(Creation),
    Change {
        actor: UserId,
        change: Change,
    },
    Archive {
        actor: UserId,
    },
    Unarchive {
        actor: UserId,
    },
    Delete {
        actor: UserId,
    },
    AddMembers {
        actor: UserId,
        users: Vec<UserId>,
        role: RoomRole,
    },
    ChangeRole {
        actor: UserId,
        user: UserId,
        role: RoomRole,
    },
    RemoveMember {
        actor: UserId,
        user: UserId,
    },
    Ban {
        actor: UserId,
        user: UserId,
    },
    Unban {
        actor: UserId,
        user: UserId,
    },
    Join {
        actor: UserId,
    },
    Leave {
        actor: UserId,
    },
    Invite {
        actor: UserId,
        invitation: Invitation,
    },
    AcceptInvite {
        actor: UserId,
        invite_key: String,
        now: Timestamp,
    },
    /// The account of `user` is deleted. The heir becomes the owner if they were it.
    LetGo {
        user: UserId,
        heir: Option<UserId>,
        because: OwnerChange,
    },
    /// The owner's account has this status now.
    FollowOwner {
        status: UserStatus,
        because: OwnerChange,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) room_id: RoomId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: RoomKind,
    pub(crate) visibility: Visibility,
    pub(crate) owner_id: UserId,
    pub(crate) bot_id: Option<UserId>,
    /// Who is in it from the start beside the owner.
    pub(crate) members: Vec<UserId>,
}

/// What is none stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    #[expect(clippy::option_option, reason = "unchanged, taken away, or a text")]
    pub(crate) description: Option<Option<String>>,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) settings: Option<Settings>,
}

/// An invite that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    pub(crate) key: String,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) max_uses: Option<u32>,
}
