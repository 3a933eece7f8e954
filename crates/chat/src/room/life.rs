//! What a room is called and like, and when it ends. The owner decides; what it is called, an
//! admin as well.

use doran_contract::{
    UserId,
    events::{
        ChatRoomArchived, ChatRoomDeleted, ChatRoomDescribed, ChatRoomRenamed,
        ChatRoomSettingsChanged, ChatRoomUnarchived, ChatRoomVisibilityChanged, RoomEvent,
    },
    room::Visibility,
};

use super::{Change, Error, details::Details};

impl Details {
    pub(super) fn decide_change(
        &self,
        actor: UserId,
        change: Change,
    ) -> Result<Vec<RoomEvent>, Error> {
        self.require_admin(actor)?;
        if change.visibility.is_some() || change.settings.is_some() {
            self.require_owner(actor)?;
        }
        self.require_active()?;
        if change.visibility == Some(Visibility::Public) {
            self.require_not_direct()?;
        }
        let room_id = self.id;
        let renamed = change
            .name
            .filter(|name| *name != self.name)
            .map(|name| ChatRoomRenamed { room_id, name }.into());
        let described = change
            .description
            .filter(|description| *description != self.description)
            .map(|description| {
                ChatRoomDescribed {
                    room_id,
                    description,
                }
                .into()
            });
        let shown = change
            .visibility
            .filter(|visibility| *visibility != self.visibility)
            .map(|visibility| {
                ChatRoomVisibilityChanged {
                    room_id,
                    visibility,
                }
                .into()
            });
        let set = change
            .settings
            .filter(|settings| *settings != self.settings)
            .map(|settings| ChatRoomSettingsChanged { room_id, settings }.into());
        Ok([renamed, described, shown, set]
            .into_iter()
            .flatten()
            .collect())
    }

    pub(super) fn decide_archive(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        self.require_owner(actor)?;
        if self.is_archived {
            return Ok(Vec::new());
        }
        let archived = ChatRoomArchived {
            room_id: self.id,
            archived_by: actor,
        };
        Ok(vec![archived.into()])
    }

    pub(super) fn decide_unarchive(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        self.require_owner(actor)?;
        if !self.is_archived {
            return Ok(Vec::new());
        }
        let unarchived = ChatRoomUnarchived {
            room_id: self.id,
            unarchived_by: actor,
        };
        Ok(vec![unarchived.into()])
    }

    pub(super) fn decide_delete(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        self.require_owner(actor)?;
        self.require_not_direct()?;
        let deleted = ChatRoomDeleted {
            room_id: self.id,
            deleted_by: actor,
        };
        Ok(vec![deleted.into()])
    }
}
