//! A room that there is: what it is like, and who may do what in it.

use std::collections::{BTreeMap, BTreeSet};

use doran_contract::{
    RoomId, Timestamp, UserId,
    events::{ChatRoomCreated, OwnerChange, RoomEvent},
    room::{RoomKind, RoomRole, RoomStatus, Settings, Visibility},
};
use serde::{Deserialize, Serialize};

use super::{Error, follow::Imposed};

pub(super) const MAX_MEMBERS: usize = 10_000;
pub(super) const MAX_DIRECT_MEMBERS: usize = 2;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) id: RoomId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: RoomKind,
    pub(crate) visibility: Visibility,
    pub(crate) settings: Settings,
    pub(crate) owner_id: UserId,
    pub(crate) bot_id: Option<UserId>,
    pub(crate) is_archived: bool,
    pub(crate) members: BTreeMap<UserId, RoomRole>,
    pub(super) banned: BTreeSet<UserId>,
    /// By key.
    pub(super) invites: BTreeMap<String, OpenInvite>,
    pub(super) imposed: Option<Imposed>,
    /// The newest change of the owner's account that the room followed.
    pub(super) followed: Option<OwnerChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenInvite {
    pub(super) expires_at: Timestamp,
    /// How often it can still be accepted; none without a bound.
    pub(super) uses_left: Option<u32>,
}

impl Details {
    pub(crate) fn status(&self) -> RoomStatus {
        let imposed = self.imposed.map_or(RoomStatus::Active, Imposed::status);
        imposed.or_archived(self.is_archived)
    }

    pub(super) fn require_member(&self, user: UserId) -> Result<RoomRole, Error> {
        self.members.get(&user).copied().ok_or(Error::NotAMember)
    }

    pub(super) fn require_admin(&self, user: UserId) -> Result<RoomRole, Error> {
        match self.require_member(user)? {
            RoomRole::Member => Err(Error::NotAnAdmin),
            role @ (RoomRole::Admin | RoomRole::Owner) => Ok(role),
        }
    }

    pub(super) fn require_owner(&self, user: UserId) -> Result<(), Error> {
        match self.require_member(user)? {
            RoomRole::Member | RoomRole::Admin => Err(Error::NotTheOwner),
            RoomRole::Owner => Ok(()),
        }
    }

    /// A room that is archived, or whose owner's account rests, stays as it is.
    pub(super) fn require_active(&self) -> Result<(), Error> {
        match self.status() {
            RoomStatus::Active => Ok(()),
            RoomStatus::Archived => Err(Error::Archived),
            RoomStatus::Restricted | RoomStatus::Deactivated => Err(Error::Inactive),
        }
    }

    /// A direct room is its pair: nobody comes or goes, and it is hidden from all others.
    pub(super) fn require_not_direct(&self) -> Result<(), Error> {
        match self.kind {
            RoomKind::Direct => Err(Error::DirectStays),
            RoomKind::Group | RoomKind::Bot => Ok(()),
        }
    }

    pub(super) fn created(event: ChatRoomCreated) -> Self {
        let members = event.members.iter();
        Self {
            members: members.map(|first| (first.user_id, first.role)).collect(),
            id: event.room_id,
            name: event.name,
            description: event.description,
            kind: event.kind,
            visibility: event.visibility,
            settings: Settings::new(),
            owner_id: event.owner_id,
            bot_id: event.bot_id,
            is_archived: false,
            banned: BTreeSet::new(),
            invites: BTreeMap::new(),
            imposed: None,
            followed: None,
        }
    }

    pub(super) fn apply(&mut self, event: RoomEvent) {
        match event {
            // The one does not come again, and the other leaves nothing of this.
            RoomEvent::ChatRoomCreated(_) | RoomEvent::ChatRoomDeleted(_) => {}
            RoomEvent::ChatRoomRenamed(renamed) => self.name = renamed.name,
            RoomEvent::ChatRoomDescribed(described) => self.description = described.description,
            RoomEvent::ChatRoomVisibilityChanged(changed) => self.visibility = changed.visibility,
            RoomEvent::ChatRoomSettingsChanged(changed) => self.settings = changed.settings,
            RoomEvent::ChatRoomArchived(_) => self.is_archived = true,
            RoomEvent::ChatRoomUnarchived(_) => self.is_archived = false,
            RoomEvent::MemberJoined(joined) => {
                self.members.insert(joined.user_id, joined.role);
                if let Some(key) = joined.invite_key {
                    self.use_invite(&key);
                }
            }
            RoomEvent::MemberRemoved(removed) => {
                self.members.remove(&removed.user_id);
            }
            RoomEvent::MemberRoleChanged(changed) => {
                self.members.insert(changed.user_id, changed.role);
                if changed.role == RoomRole::Owner {
                    self.owner_id = changed.user_id;
                }
            }
            RoomEvent::MemberBanned(banned) => {
                self.members.remove(&banned.user_id);
                self.banned.insert(banned.user_id);
            }
            RoomEvent::MemberUnbanned(unbanned) => {
                self.banned.remove(&unbanned.user_id);
            }
            RoomEvent::InviteCreated(created) => {
                self.invites
                    .retain(|_, invite| invite.expires_at > created.created_at);
                let invite = OpenInvite {
                    expires_at: created.expires_at,
                    uses_left: created.max_uses,
                };
                self.invites.insert(created.invite_key, invite);
            }
            RoomEvent::RoomRestricted(restricted) => {
                self.impose(Some(Imposed::Restriction), restricted.because);
            }
            RoomEvent::RoomDeactivated(deactivated) => {
                self.impose(Some(Imposed::Deactivation), deactivated.because);
            }
            RoomEvent::RoomReactivated(reactivated) => self.impose(None, reactivated.because),
        }
    }

    fn use_invite(&mut self, key: &str) {
        let uses_left = self
            .invites
            .get_mut(key)
            .map(|invite| &mut invite.uses_left);
        if let Some(Some(uses_left)) = uses_left {
            *uses_left = uses_left.saturating_sub(1);
        }
    }
}
