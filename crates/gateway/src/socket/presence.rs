//! `presence`: how this socket makes its user look.

use doran_contract::frame::{OkAnswer, ServerFrame, ShownState};

use super::{answer::Denied, connection::Connection};

pub(super) async fn show(
    connection: &Connection,
    state: ShownState,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    connection.limit().await?;
    connection.link.show(state);
    connection.gateway.sockets.note(connection.link.user_id);
    Ok(move |id| ServerFrame::Ok {
        id,
        answer: OkAnswer::Presence { state },
    })
}
