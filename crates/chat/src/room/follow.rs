//! What the owner's account does to a room. Kept apart from what the owner decides about it, so
//! that it can be taken back and nothing else with it.

use doran_contract::{
    events::{OwnerChange, RoomDeactivated, RoomEvent, RoomReactivated, RoomRestricted},
    room::RoomStatus,
    user::UserStatus,
};
use serde::{Deserialize, Serialize};

use super::details::Details;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Imposed {
    Restriction,
    Deactivation,
}

impl Imposed {
    pub(super) fn status(self) -> RoomStatus {
        match self {
            Self::Restriction => RoomStatus::Restricted,
            Self::Deactivation => RoomStatus::Deactivated,
        }
    }
}

impl Details {
    /// A change that is older than the one the room followed says nothing any more.
    pub(super) fn decide_follow(&self, status: UserStatus, because: OwnerChange) -> Vec<RoomEvent> {
        let is_stale = |followed: OwnerChange| because.sequence <= followed.sequence;
        if because.user_id != self.owner_id || self.followed.is_some_and(is_stale) {
            return Vec::new();
        }
        let room_id = self.id;
        match (status, self.imposed) {
            (UserStatus::Active, None)
            | (UserStatus::Inactive, Some(Imposed::Restriction))
            | (UserStatus::Suspended, Some(Imposed::Deactivation)) => Vec::new(),
            (UserStatus::Active, Some(_)) => vec![RoomReactivated { room_id, because }.into()],
            (UserStatus::Inactive, _) => vec![RoomRestricted { room_id, because }.into()],
            (UserStatus::Suspended, _) => vec![RoomDeactivated { room_id, because }.into()],
        }
    }

    pub(super) fn impose(&mut self, imposed: Option<Imposed>, because: OwnerChange) {
        self.imposed = imposed;
        self.followed = Some(because);
    }
}
