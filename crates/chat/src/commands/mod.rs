//! Commands on rooms and messages, one file each.

pub(crate) mod add_members;
mod answer;
pub(crate) mod archive_room;
mod bot_answer;
pub(crate) mod change_bot;
pub(crate) mod change_message;
pub(crate) mod change_role;
pub(crate) mod change_room;
pub(crate) mod create_room;
pub(crate) mod delete_room;
pub(crate) mod invite;
pub(crate) mod join_room;
pub(crate) mod leave_room;
pub(crate) mod move_read_marker;
mod people;
pub(crate) mod register_bot;
pub(crate) mod remove_bot;
pub(crate) mod remove_member;
mod rules;
pub(crate) mod send_message;
pub(crate) mod unarchive_room;

use std::str::FromStr;

use doran_contract::{ErrorCode, RoomId};
use doran_platform::http::Refusal;

/// `ce-source` of this service's events.
pub(crate) const SOURCE: &str = "chat";

/// The room and the thing in it that a path names.
fn target<T>((room, thing): &(String, String)) -> Result<(RoomId, T), Refusal>
where
    T: FromStr<Err = uuid::Error>,
{
    let malformed = |_| Refusal::new(ErrorCode::BadRequest, "the id in the path is not a UUID");
    Ok((
        room.parse().map_err(malformed)?,
        thing.parse().map_err(malformed)?,
    ))
}
