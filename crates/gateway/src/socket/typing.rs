//! `typing`: told to a room's other subscribers, and kept nowhere.

use doran_contract::{
    ErrorCode, RoomId,
    frame::{OkAnswer, ServerFrame},
};

use super::{answer::Denied, connection::Connection};
use crate::live::tell_of_typing;

pub(super) async fn typing(
    connection: &Connection,
    room_id: RoomId,
    on: bool,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    connection.limit().await?;
    let (gateway, user_id) = (&connection.gateway, connection.link.user_id);
    if gateway.rooms.role(room_id, user_id).await.is_none() {
        return Err(Denied::new(
            ErrorCode::NotMember,
            "not a member of this room",
        ));
    }
    tell_of_typing(&gateway.platform.nats, room_id, user_id, on)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "nobody can be told that somebody types");
            Denied::unavailable()
        })?;
    Ok(move |id| ServerFrame::Ok {
        id,
        answer: OkAnswer::Typing { room_id, on },
    })
}
