//! SUBSCRIBE and UNSUBSCRIBE: a room's timeline, from now on or from where the client left it, or a
//! queue of one's own.
//!
//! RECEIPT says whether everything after `since` follows. Who asks for none, and cannot be given
//! everything, gets ERROR.

use std::sync::Arc;

use doran_contract::{
    ErrorCode, RoomId,
    frame::{CloseCode, Incomplete, Since},
};

use super::{
    destination::Source,
    error::ending,
    frame::{Frame, Writer},
    message::Heading,
    reader::{confirm, refuse, subscription},
    version::Version,
};
use crate::{
    live::{Guest, Missed},
    socket::{
        Voice,
        answer::Denied,
        connection::Connection,
        link::Dialect,
        subscribe::{give, missed, role},
        subscriptions::Name,
    },
};

pub(super) struct Subscribing {
    id: Box<str>,
    /// Whether MESSAGEs name the subscription: not where STOMP 1.0 gave it no name.
    is_named: bool,
    destination: Box<str>,
    source: Source,
    since: Option<Since>,
    receipt: Option<Box<str>>,
}

impl Subscribing {
    pub(super) fn read(version: Version, frame: &Frame) -> Result<Self, Denied> {
        Ok(Self {
            id: subscription(version, frame)?,
            is_named: frame.headers.get("id").is_some(),
            source: Source::of(frame)?,
            destination: frame.headers.get("destination").unwrap_or_default().into(),
            since: frame.headers.get("since").map(since).transpose()?,
            receipt: frame.receipt().map(Into::into),
        })
    }

    fn heading(&self, version: Version, epoch: Option<&str>) -> Heading {
        let id = self.is_named.then_some(&*self.id);
        Heading::new(version, id, &self.destination, epoch)
    }
}

/// `<epoch>:<seq>`
fn since(text: &str) -> Result<Since, Denied> {
    let read = || {
        let (epoch, seq) = text.rsplit_once(':')?;
        Some(Since {
            epoch: epoch.to_owned(),
            seq: seq.trim().parse().ok()?,
        })
    };
    read().ok_or_else(|| Denied::new(ErrorCode::BadRequest, "since is <epoch>:<seq>"))
}

pub(super) async fn subscribe(connection: &Connection, version: Version, asked: Subscribing) {
    let done = match &asked.source {
        Source::Room(room) => follow(connection, version, &asked, *room).await,
        Source::Queue(queue) => listen(connection, version, &asked, queue).await,
    };
    if let Err(denied) = done {
        refuse(connection, version, denied, asked.receipt.as_deref());
    }
}

async fn listen(
    connection: &Connection,
    version: Version,
    asked: &Subscribing,
    queue: &str,
) -> Result<(), Denied> {
    let heading = asked.heading(version, None);
    if let Dialect::Stomp(queues) = &connection.link.dialect {
        connection
            .subscriptions
            .remove(&Name::Given(asked.id.clone()));
        queues.listen(&asked.id, queue.into(), heading)?;
    }
    confirm(connection, version, asked.receipt.as_deref()).await;
    Ok(())
}

async fn follow(
    connection: &Connection,
    version: Version,
    asked: &Subscribing,
    room: RoomId,
) -> Result<(), Denied> {
    let hubs = &connection.gateway.hubs;
    role(connection, room).await?;
    let name = Name::Given(asked.id.clone());
    connection.subscriptions.admit(&name)?;
    let epoch = hubs.epoch();
    let known = asked.since.as_ref().filter(|since| since.epoch == *epoch);
    let after = known.map_or(0, |since| since.seq);
    let guest = Guest {
        seat: connection.gateway.platform.clock.new_id(),
        link: Arc::clone(&connection.link),
        voice: Voice::Stomp(asked.heading(version, Some(&epoch))),
    };
    let (hub, seated) = hubs.seat(room, &guest, after).await?;
    if let Dialect::Stomp(queues) = &connection.link.dialect {
        queues.leave(&asked.id);
    }
    connection.subscriptions.insert(name, &hub, guest.seat);
    match missed(connection, &hub, asked.since.as_ref(), seated).await? {
        Missed::Complete(replay) => {
            let head = seated.head.max(after);
            answer(connection, version, asked, (&epoch, head), None).await;
            give(connection, &hub, &guest.voice, replay).await;
            hub.go_live(guest.seat, seated);
        }
        Missed::Incomplete(reason) => {
            if asked.receipt.is_none() {
                let message = format!("not everything after since can be given: {}", text(reason));
                let denied = Denied::new(ErrorCode::Conflict, message);
                connection
                    .link
                    .end(ending(version, denied, None, CloseCode::Resync));
                return Ok(());
            }
            answer(
                connection,
                version,
                asked,
                (&epoch, seated.head),
                Some(reason),
            )
            .await;
            hub.go_live_incomplete(guest.seat, seated);
        }
    }
    Ok(())
}

/// The RECEIPT of a room's SUBSCRIBE says what the `ok` of `doran.v1` says.
async fn answer(
    connection: &Connection,
    version: Version,
    asked: &Subscribing,
    (epoch, head): (&str, u64),
    reason: Option<Incomplete>,
) {
    let Some(receipt) = &asked.receipt else {
        return;
    };
    let complete = if reason.is_none() { "true" } else { "false" };
    let frame = Writer::new("RECEIPT", version)
        .header("receipt-id", receipt)
        .header("epoch", epoch)
        .header("head", &head.to_string())
        .header("complete", complete)
        .header_if_any("reason", reason.map(text));
    connection.link.outbox.answer(frame.end()).await;
}

const fn text(reason: Incomplete) -> &'static str {
    match reason {
        Incomplete::Epoch => "epoch",
        Incomplete::TooFar => "tooFar",
        Incomplete::Gap => "gap",
    }
}

pub(super) fn unsubscribe(connection: &Connection, id: &str) {
    connection.subscriptions.remove(&Name::Given(id.into()));
    if let Dialect::Stomp(queues) = &connection.link.dialect {
        queues.leave(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_epoch_and_a_sequence() {
        let place = since("e-1:42").unwrap();
        assert_eq!((place.epoch.as_str(), place.seq), ("e-1", 42));
        for text in ["", "42", "e:", "e:-1", "e:x", ":"] {
            assert_eq!(since(text).unwrap_err().code(), ErrorCode::BadRequest);
        }
    }
}
