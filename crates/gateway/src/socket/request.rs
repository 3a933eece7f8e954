//! From a frame to the work that answers it.

use doran_contract::{
    ErrorCode,
    command::MessageChange,
    frame::{ClientFrame, CloseCode, Request, ServerFrame},
};

use super::{
    answer::Denied,
    change::{Wanted, change},
    closing::End,
    connection::Connection,
    frame::{self, Read},
    history::history,
    in_flight::{Lane, Task, Work},
    presence::show,
    read::move_read_marker,
    reauth::reauth,
    send::Outgoing,
    subscribe::subscribe,
    typing::typing,
    unsubscribe::unsubscribe,
};
use crate::live::text;

/// Malformed frames that a socket may send.
const FAULTS_ENDURED: u32 = 4;

#[derive(Debug, Default)]
pub(super) struct Faults(u32);

impl Faults {
    /// The answer to a malformed frame, and the end of the socket if it was one too many.
    pub(super) fn count(&mut self, id: Option<u64>) -> (ServerFrame, Result<(), End>) {
        self.0 += 1;
        let denied = Denied::new(ErrorCode::BadRequest, "not a frame of doran.v1");
        let end = if self.0 > FAULTS_ENDURED {
            Err(End::Close(CloseCode::Protocol))
        } else {
            Ok(())
        };
        (denied.frame(id), end)
    }
}

/// What is to be done about a frame; nothing if it has been answered already.
pub(super) fn take<'a>(
    connection: &'a Connection,
    text: &str,
    faults: &mut Faults,
) -> Result<Option<Task<'a>>, End> {
    match frame::read(text) {
        Read::Frame(frame) => Ok(begin(connection, frame)),
        Read::Malformed { id } => {
            let (frame, end) = faults.count(id);
            connection.push(&frame);
            end.map(|()| None)
        }
    }
}

fn begin(connection: &Connection, frame: ClientFrame) -> Option<Task<'_>> {
    let ClientFrame { id, request } = frame;
    if matches!(request, Request::Ping) {
        connection.push(&ServerFrame::Pong { id });
        return None;
    }
    if connection.is_cut_off() {
        connection.deny(id, Denied::unavailable());
        return None;
    }
    let work: (Lane, Work<'_>) = match request {
        Request::Auth { .. } => {
            let message = "already logged in; a newer token comes with reauth";
            connection.deny(id, Denied::new(ErrorCode::BadRequest, message));
            return None;
        }
        Request::Ping => return None,
        Request::Reauth { token } => {
            let work = async move { reauth(connection, &token).await };
            (Lane::Subscriptions, Box::pin(answer(connection, id, work)))
        }
        Request::Subscribe { room_id, since } => (
            Lane::Subscriptions,
            Box::pin(async move {
                if let Err(denied) = subscribe(connection, id, room_id, since).await {
                    connection.reply(&denied.frame(id)).await;
                }
            }),
        ),
        Request::Unsubscribe { room_id } => {
            let work = async move { Ok(unsubscribe(connection, room_id)) };
            (Lane::Subscriptions, Box::pin(answer(connection, id, work)))
        }
        Request::Send(message) => return Some(Task::Send(Outgoing { id, message })),
        Request::Edit(edit) => writes(connection, id, edit.into()),
        Request::Delete(target) => {
            let wanted = Wanted::of(target, MessageChange::Delete);
            writes(connection, id, wanted)
        }
        Request::React(reaction) => writes(connection, id, Wanted::react(reaction)),
        Request::Unreact(reaction) => writes(connection, id, Wanted::unreact(reaction)),
        Request::Pin(target) => writes(connection, id, Wanted::of(target, MessageChange::Pin)),
        Request::Unpin(target) => {
            let wanted = Wanted::of(target, MessageChange::Unpin);
            writes(connection, id, wanted)
        }
        Request::Typing { room_id, on } => {
            let work = typing(connection, room_id, on);
            (Lane::Writes, Box::pin(answer(connection, id, work)))
        }
        Request::Presence { state } => {
            let work = show(connection, state);
            (Lane::Writes, Box::pin(answer(connection, id, work)))
        }
        Request::Read { room_id, seq } => {
            let work = move_read_marker(connection, room_id, seq);
            (Lane::Writes, Box::pin(answer(connection, id, work)))
        }
        Request::History(page) => {
            let work = history(connection, page);
            (Lane::Questions, Box::pin(answer(connection, id, work)))
        }
    };
    let (lane, work) = work;
    Some(Task::Other(lane, work))
}

fn writes(connection: &Connection, id: Option<u64>, wanted: Wanted) -> (Lane, Work<'_>) {
    let work = change(connection, wanted);
    (Lane::Writes, Box::pin(answer(connection, id, work)))
}

/// Does the work and answers with the frame it makes, or with an error.
async fn answer<F>(
    connection: &Connection,
    id: Option<u64>,
    work: impl Future<Output = Result<F, Denied>>,
) where
    F: FnOnce(Option<u64>) -> ServerFrame,
{
    let frame = match work.await {
        Ok(frame) => frame(id),
        Err(denied) => denied.frame(id),
    };
    connection.link.outbox.answer(text(&frame)).await;
}
