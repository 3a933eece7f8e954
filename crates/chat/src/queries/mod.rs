//! Questions to the read models, one file each.

mod cursor;
pub(crate) mod get_room;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod list_bots;
pub(crate) mod list_members;
pub(crate) mod list_rooms;
pub(crate) mod message_row;
pub(crate) mod presence;
pub(crate) mod public_bots;
pub(crate) mod public_rooms;
pub(crate) mod read_marker;
mod room_row;
pub(crate) mod search;
pub(crate) mod sync;
