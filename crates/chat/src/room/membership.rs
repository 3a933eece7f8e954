//! Who comes and goes, as what, and who decides that. Nobody removes the owner.

use std::collections::BTreeSet;

use doran_contract::{
    Timestamp, UserId,
    events::{
        InviteCreated, MemberBanned, MemberJoined, MemberRemoved, MemberRoleChanged,
        MemberUnbanned, RoomEvent,
    },
    room::{RoomKind, RoomRole, Visibility},
};

use super::{
    Error, Invitation,
    details::{Details, MAX_DIRECT_MEMBERS, MAX_MEMBERS},
};

/// Invites of one room that can be accepted at the same time.
const MAX_INVITES: usize = 100;

impl Details {
    pub(super) fn decide_add(
        &self,
        actor: UserId,
        users: Vec<UserId>,
        role: RoomRole,
    ) -> Result<Vec<RoomEvent>, Error> {
        let may = self.require_admin(actor)?;
        if role > RoomRole::Member && may < RoomRole::Owner {
            return Err(Error::NotTheOwner);
        }
        self.require_active()?;
        let newcomers: BTreeSet<_> = users
            .into_iter()
            .filter(|user| !self.members.contains_key(user))
            .collect();
        if newcomers.iter().any(|user| self.banned.contains(user)) {
            return Err(Error::IsBanned);
        }
        self.require_room_for(newcomers.len())?;
        let joined = newcomers
            .into_iter()
            .map(|user_id| self.joined(user_id, role, Some(actor), None));
        Ok(joined.collect())
    }

    pub(super) fn decide_role(
        &self,
        actor: UserId,
        user: UserId,
        role: RoomRole,
    ) -> Result<Vec<RoomEvent>, Error> {
        self.require_owner(actor)?;
        self.require_active()?;
        self.require_not_direct()?;
        match self.members.get(&user) {
            None => Err(Error::NoSuchMember),
            Some(RoomRole::Owner) => Err(Error::OwnerStays),
            Some(now) if *now == role => Ok(Vec::new()),
            Some(RoomRole::Admin | RoomRole::Member) => {
                let changed = MemberRoleChanged {
                    room_id: self.id,
                    user_id: user,
                    role,
                    changed_by: actor,
                };
                Ok(vec![changed.into()])
            }
        }
    }

    pub(super) fn decide_remove(
        &self,
        actor: UserId,
        user: UserId,
    ) -> Result<Vec<RoomEvent>, Error> {
        if actor == user {
            return self.decide_leave(actor);
        }
        self.require_admin(actor)?;
        self.require_active()?;
        self.require_not_direct()?;
        match self.members.get(&user) {
            None => Err(Error::NoSuchMember),
            Some(RoomRole::Owner) => Err(Error::OwnerStays),
            Some(RoomRole::Admin | RoomRole::Member) => Ok(vec![self.removed(user, Some(actor))]),
        }
    }

    /// Also somebody who is not in the room is kept out of it.
    pub(super) fn decide_ban(&self, actor: UserId, user: UserId) -> Result<Vec<RoomEvent>, Error> {
        self.require_admin(actor)?;
        self.require_active()?;
        self.require_not_direct()?;
        if actor == user {
            return Err(Error::NotYourself);
        }
        if self.members.get(&user) == Some(&RoomRole::Owner) {
            return Err(Error::OwnerStays);
        }
        if self.banned.contains(&user) {
            return Ok(Vec::new());
        }
        let banned = MemberBanned {
            room_id: self.id,
            user_id: user,
            banned_by: actor,
        };
        Ok(vec![banned.into()])
    }

    pub(super) fn decide_unban(
        &self,
        actor: UserId,
        user: UserId,
    ) -> Result<Vec<RoomEvent>, Error> {
        self.require_admin(actor)?;
        self.require_active()?;
        if !self.banned.contains(&user) {
            return Ok(Vec::new());
        }
        let unbanned = MemberUnbanned {
            room_id: self.id,
            user_id: user,
            unbanned_by: actor,
        };
        Ok(vec![unbanned.into()])
    }

    pub(super) fn decide_join(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        if self.members.contains_key(&actor) {
            return Ok(Vec::new());
        }
        if self.visibility == Visibility::Private {
            return Err(Error::Private);
        }
        self.require_welcome(actor)?;
        Ok(vec![self.joined(actor, RoomRole::Member, None, None)])
    }

    pub(super) fn decide_leave(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        match self.require_member(actor)? {
            RoomRole::Owner => Err(Error::OwnerCannotLeave),
            RoomRole::Admin | RoomRole::Member => {
                self.require_not_direct()?;
                Ok(vec![self.removed(actor, None)])
            }
        }
    }

    pub(super) fn decide_invite(
        &self,
        actor: UserId,
        invitation: Invitation,
    ) -> Result<Vec<RoomEvent>, Error> {
        self.require_admin(actor)?;
        self.require_active()?;
        self.require_not_direct()?;
        let open = self.invites.values();
        let open = open.filter(|invite| invite.expires_at > invitation.now);
        if open.count() >= MAX_INVITES {
            return Err(Error::TooManyInvites);
        }
        let created = InviteCreated {
            room_id: self.id,
            invite_key: invitation.key,
            created_by: actor,
            created_at: invitation.now,
            expires_at: invitation.expires_at,
            max_uses: invitation.max_uses,
        };
        Ok(vec![created.into()])
    }

    pub(super) fn decide_accept(
        &self,
        actor: UserId,
        invite_key: String,
        now: Timestamp,
    ) -> Result<Vec<RoomEvent>, Error> {
        let invite = self.invites.get(&invite_key).ok_or(Error::NoSuchInvite)?;
        if self.members.contains_key(&actor) {
            return Ok(Vec::new());
        }
        if invite.expires_at <= now || invite.uses_left == Some(0) {
            return Err(Error::NoSuchInvite);
        }
        self.require_welcome(actor)?;
        let key = Some(invite_key);
        Ok(vec![self.joined(actor, RoomRole::Member, None, key)])
    }

    /// Whether somebody who may come in finds a place.
    fn require_welcome(&self, user: UserId) -> Result<(), Error> {
        if self.banned.contains(&user) {
            return Err(Error::Banned);
        }
        self.require_active()?;
        self.require_room_for(1)
    }

    fn require_room_for(&self, newcomers: usize) -> Result<(), Error> {
        let capacity = match self.kind {
            RoomKind::Direct => MAX_DIRECT_MEMBERS,
            RoomKind::Group | RoomKind::Bot => MAX_MEMBERS,
        };
        if newcomers > 0 && self.members.len() + newcomers > capacity {
            return Err(Error::Full);
        }
        Ok(())
    }

    fn joined(
        &self,
        user_id: UserId,
        role: RoomRole,
        added_by: Option<UserId>,
        invite_key: Option<String>,
    ) -> RoomEvent {
        let joined = MemberJoined {
            room_id: self.id,
            user_id,
            role,
            added_by,
            invite_key,
        };
        joined.into()
    }

    fn removed(&self, user_id: UserId, removed_by: Option<UserId>) -> RoomEvent {
        let removed = MemberRemoved {
            room_id: self.id,
            user_id,
            removed_by,
        };
        removed.into()
    }
}
