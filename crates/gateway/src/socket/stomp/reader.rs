//! From a client's frames to the work that they ask for, one after the other.

use doran_contract::{ErrorCode, RoomId};

use super::{
    decoder::Decoder,
    destination::{Source, Target},
    error::{malformed, refusal},
    frame::{Command, Frame, Writer},
    send::{Sending, send},
    subscribe::{Subscribing, subscribe, unsubscribe},
    transactions::Transactions,
    version::Version,
};
use crate::socket::{
    answer::Denied,
    closing::End,
    connection::Connection,
    in_flight::{InFlight, Lane, Task, Work},
};

pub(in crate::socket) struct Reader {
    version: Version,
    decoder: Decoder,
    transactions: Transactions,
}

impl Reader {
    pub(super) fn new(version: Version, decoder: Decoder) -> Self {
        Self {
            version,
            decoder,
            transactions: Transactions::default(),
        }
    }

    pub(in crate::socket) fn feed(&mut self, bytes: &[u8]) -> Result<(), End> {
        let fed = self.decoder.feed(bytes);
        fed.map_err(|error| malformed(self.version, error))
    }

    /// Begins what has been read, as far as it may be under way.
    pub(in crate::socket) fn begin<'a>(
        &mut self,
        connection: &'a Connection,
        in_flight: &mut InFlight<'a>,
    ) -> Result<(), End> {
        while !in_flight.is_full() {
            let frame = self.decoder.next();
            let frame = frame.map_err(|error| malformed(self.version, error))?;
            let Some(frame) = frame else {
                return Ok(());
            };
            let receipt = frame.receipt().map(str::to_owned);
            let work = self
                .take(connection, frame)
                .map_err(|denied| refusal(self.version, denied, receipt.as_deref()))?;
            if let Some(work) = work {
                // One lane for all, because STOMP promises that frames are handled in order.
                in_flight.add(Task::Other(Lane::Writes, unless_ending(connection, work)));
            }
        }
        Ok(())
    }

    /// What is to be done about a frame; nothing for one that waits for its COMMIT.
    fn take<'a>(
        &mut self,
        connection: &'a Connection,
        frame: Frame,
    ) -> Result<Option<Work<'a>>, Denied> {
        if connection.is_cut_off() {
            return Err(Denied::unavailable());
        }
        let version = self.version;
        let receipt = frame.receipt().map(str::to_owned);
        Ok(Some(match frame.command {
            Command::Connect => {
                let message = "this connection is logged in already";
                return Err(Denied::new(ErrorCode::BadRequest, message));
            }
            Command::Send => {
                let room = target(&frame)?;
                if let Some(name) = frame.headers.get("transaction").map(str::to_owned) {
                    self.transactions.keep(&name, frame)?;
                    return Ok(None);
                }
                let sending = Sending { room, frame };
                Box::pin(send(connection, version, sending))
            }
            Command::Subscribe => {
                let asked = Subscribing::read(version, &frame)?;
                Box::pin(subscribe(connection, version, asked))
            }
            Command::Unsubscribe => {
                let id = subscription(version, &frame)?;
                Box::pin(async move {
                    unsubscribe(connection, &id);
                    confirm(connection, version, receipt.as_deref()).await;
                })
            }
            Command::Begin => {
                self.transactions.begin(header(&frame, "transaction")?)?;
                Box::pin(confirmation(connection, version, receipt))
            }
            Command::Abort => {
                self.transactions.end(header(&frame, "transaction")?)?;
                Box::pin(confirmation(connection, version, receipt))
            }
            Command::Commit => {
                let frames = self.transactions.end(header(&frame, "transaction")?)?;
                Box::pin(commit(connection, version, frames, receipt))
            }
            // Every message counts as acknowledged when it is sent.
            Command::Ack | Command::Nack => Box::pin(confirmation(connection, version, receipt)),
            Command::Disconnect => Box::pin(async move {
                confirm(connection, version, receipt.as_deref()).await;
                connection.link.end(End::Finished);
            }),
        }))
    }
}

/// After a refusal nothing more is done, and the connection is about to end.
fn unless_ending<'a>(connection: &'a Connection, work: Work<'a>) -> Work<'a> {
    Box::pin(async move {
        if !connection.link.is_ending() {
            work.await;
        }
    })
}

async fn commit(
    connection: &Connection,
    version: Version,
    frames: Vec<Frame>,
    receipt: Option<String>,
) {
    for frame in frames {
        // Was read when the frame came.
        let Ok(room) = target(&frame) else { continue };
        if connection.link.is_ending() {
            return;
        }
        send(connection, version, Sending { room, frame }).await;
    }
    confirm(connection, version, receipt.as_deref()).await;
}

fn target(frame: &Frame) -> Result<Option<RoomId>, Denied> {
    match Target::parse(header(frame, "destination")?)? {
        Target::Room(room) => Ok(Some(room)),
        Target::RoomInBody => Ok(None),
    }
}

pub(super) fn header<'a>(frame: &'a Frame, name: &'static str) -> Result<&'a str, Denied> {
    let value = frame.headers.get(name);
    value.ok_or_else(|| {
        let message = format!("the header {name} is missing");
        Denied::new(ErrorCode::BadRequest, message)
    })
}

/// What a client calls a subscription. STOMP 1.0 may call it by its destination.
pub(super) fn subscription(version: Version, frame: &Frame) -> Result<Box<str>, Denied> {
    match frame.headers.get("id") {
        Some(id) => Ok(id.into()),
        None if version == Version::V1_0 => Ok(header(frame, "destination")?.into()),
        None => header(frame, "id").map(Into::into),
    }
}

async fn confirmation(connection: &Connection, version: Version, receipt: Option<String>) {
    confirm(connection, version, receipt.as_deref()).await;
}

/// Says that a frame has been handled, if the client asked to be told.
pub(super) async fn confirm(connection: &Connection, version: Version, receipt: Option<&str>) {
    if let Some(receipt) = receipt {
        let frame = Writer::new("RECEIPT", version).header("receipt-id", receipt);
        connection.link.outbox.answer(frame.end()).await;
    }
}

/// Refuses a frame: by ERROR, and then the connection ends.
pub(super) fn refuse(
    connection: &Connection,
    version: Version,
    denied: Denied,
    receipt: Option<&str>,
) {
    connection.link.end(refusal(version, denied, receipt));
}

impl Source {
    pub(super) fn of(frame: &Frame) -> Result<Self, Denied> {
        Self::parse(header(frame, "destination")?)
    }
}
