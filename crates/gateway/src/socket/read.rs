//! `read`: everything up to a place has been seen.

use doran_contract::{
    RoomId,
    command::{MOVE_READ_MARKER, MoveReadMarker, ReadMarker},
    frame::{OkAnswer, ServerFrame},
};

use super::{answer::Denied, command::ask, connection::Connection};

pub(super) async fn move_read_marker(
    connection: &Connection,
    room_id: RoomId,
    seq: u64,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    connection.limit().await?;
    let command = MoveReadMarker {
        user_id: connection.link.user_id,
        room_id,
        seq,
    };
    let marker: ReadMarker = ask(connection, MOVE_READ_MARKER, &command).await?;
    Ok(move |id| ServerFrame::Ok {
        id,
        answer: OkAnswer::Read {
            room_id,
            seq: marker.seq,
        },
    })
}
