//! `unsubscribe`: no more frames of a room's timeline.

use doran_contract::{
    RoomId,
    frame::{OkAnswer, ServerFrame},
};

use super::{connection::Connection, subscriptions::Name};

pub(super) fn unsubscribe(
    connection: &Connection,
    room_id: RoomId,
) -> impl FnOnce(Option<u64>) -> ServerFrame + use<> {
    connection.subscriptions.remove(&Name::Room(room_id));
    move |id| ServerFrame::Ok {
        id,
        answer: OkAnswer::Unsubscribed { room_id },
    }
}
