//! Commands on rooms and messages, one file each.

pub(crate) mod add_members;
mod answer;
pub(crate) mod change_room;
pub(crate) mod create_room;
pub(crate) mod join_room;
pub(crate) mod leave_room;
pub(crate) mod move_read_marker;
mod people;
pub(crate) mod remove_member;
mod rules;
pub(crate) mod send_message;

/// `ce-source` of this service's events.
pub(crate) const SOURCE: &str = "chat";
