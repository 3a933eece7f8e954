//! A lane: appending without a guard, many events in flight, in the order of the calls.

use std::{sync::Arc, time::Duration};

use async_nats::{
    header,
    jetstream::{self, context::PublishAckFuture, publish::PublishAck},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    BoxError, CommandContext, LogReader,
    deadline::{Deadline, INQUIRY, TOTAL, TRY},
    envelope::{self, Label},
    publish::{self, Answer, AppendError, Message},
};

/// Before an event is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// One event for a lane.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    pub subject: String,
    pub event_type: &'a str,
    pub version: u32,
    /// Also its `Nats-Msg-Id`. It must be unique in the whole stream, so it has to contain the
    /// aggregate: JetStream drops a second message of the same id, whatever its subject.
    pub event_id: Uuid,
    /// The event's own JSON.
    pub body: Bytes,
    pub ctx: &'a CommandContext,
}

/// Where an event came to lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    pub stream: String,
    pub sequence: u64,
    /// The event was there before; `sequence` and `time` are those of the first time. The stream
    /// remembers ids for its duplicate window only (2 minutes).
    pub duplicate: bool,
    /// `ce-time` of the stored event.
    pub time: DateTime<Utc>,
}

/// Appends events as fast as the log takes them. Clones are one lane.
///
/// Two events that are submitted one after the other on one lane lie in the log in that order. An
/// event that had to be sent again, because no answer came, takes the place of its last sending.
#[derive(Clone, Debug)]
pub struct Lane {
    js: jetstream::Context,
    /// Hands over one event at a time, in the order of the calls, also while there is no connection.
    turn: Arc<Mutex<()>>,
}

/// An event on its way to the log.
#[derive(Debug)]
#[must_use = "only `stored` says whether the log has the event"]
pub struct InFlight {
    js: jetstream::Context,
    message: Message,
    time: DateTime<Utc>,
    ack: PublishAckFuture,
    deadline: Deadline,
}

impl Lane {
    pub fn new(js: jetstream::Context) -> Self {
        Self {
            js,
            turn: Arc::default(),
        }
    }

    /// Hands the event over and waits until the log has it. Ends within 5 s.
    pub async fn append(&self, event: NewEvent<'_>) -> Result<Appended, AppendError> {
        self.submit(event).await?.stored().await
    }

    /// Hands the event over; its place in the order is taken when this returns. Ends within 2 s.
    pub async fn submit(&self, event: NewEvent<'_>) -> Result<InFlight, AppendError> {
        let deadline = Deadline::after(TOTAL);
        let time = envelope::written_time(event.ctx.time);
        let message = message(event).map_err(|error| AppendError::Rejected(error.into()))?;

        let handed_over = self.hand_over(message.clone(), deadline.within(TRY)).await;
        count_unless_stored(handed_over.as_ref().err());
        Ok(InFlight {
            js: self.js.clone(),
            message,
            time,
            ack: handed_over?,
            deadline,
        })
    }

    async fn hand_over(
        &self,
        message: Message,
        deadline: Deadline,
    ) -> Result<PublishAckFuture, AppendError> {
        let unavailable = |elapsed| AppendError::Unavailable(BoxError::from(elapsed));
        let _turn = deadline
            .wait_for(self.turn.lock())
            .await
            .map_err(unavailable)?;
        let connected = publish::connected(&self.js.client(), deadline).await;
        connected.map_err(AppendError::Unavailable)?;
        let sent = publish::send(&self.js, message, deadline).await;
        sent.map_err(|not_sent| match not_sent {
            Answer::Never(reason) => AppendError::Rejected(reason),
            Answer::NotNow(reason) => AppendError::Unavailable(reason),
            Answer::Full(reason) => AppendError::Full(reason),
            Answer::Stored(_) | Answer::Conflict | Answer::Silence => AppendError::FateUnknown,
        })
    }
}

impl InFlight {
    /// Waits until the log has the event, sending the identical message again where no answer
    /// comes. Ends within 5 s of the submission.
    pub async fn stored(self) -> Result<Appended, AppendError> {
        let stored = self.wait().await;
        count_unless_stored(stored.as_ref().err());
        if stored.is_ok() {
            count("stored");
        }
        stored
    }

    async fn wait(self) -> Result<Appended, AppendError> {
        let sending_ends = self.deadline.less(INQUIRY);
        let mut maybe_stored = false;
        let mut answer = publish::answer(self.ack, sending_ends.within(TRY)).await;
        loop {
            let is_over = sending_ends.has_passed();
            match answer {
                Answer::Stored(ack) if ack.duplicate => {
                    return first_time(&self.js, &self.message, ack, self.deadline).await;
                }
                Answer::Stored(ack) => return Ok(new(ack, self.time)),
                Answer::Never(reason) if !maybe_stored => {
                    return Err(AppendError::Rejected(reason));
                }
                Answer::Full(reason) if !maybe_stored => return Err(AppendError::Full(reason)),
                Answer::NotNow(reason) if is_over && !maybe_stored => {
                    return Err(AppendError::Unavailable(reason));
                }
                Answer::Silence | Answer::NotNow(_) if is_over => {
                    return Err(AppendError::FateUnknown);
                }
                // A lane has no guard that could break.
                Answer::Never(_) | Answer::Full(_) | Answer::Conflict => {
                    return Err(AppendError::FateUnknown);
                }
                Answer::Silence => maybe_stored = true,
                Answer::NotNow(_) => {}
            }
            count("sent_again");
            answer = send_again(&self.js, &self.message, sending_ends.within(TRY)).await;
        }
    }
}

fn new(ack: PublishAck, time: DateTime<Utc>) -> Appended {
    Appended {
        stream: ack.stream,
        sequence: ack.sequence,
        duplicate: false,
        time,
    }
}

async fn send_again(js: &jetstream::Context, message: &Message, deadline: Deadline) -> Answer {
    tokio::time::sleep(PAUSE.mul_f64(rand::random_range(0.5..1.0))).await;
    if let Err(elapsed) = publish::connected(&js.client(), deadline).await {
        return Answer::NotNow(elapsed);
    }
    match publish::send(js, message.clone(), deadline).await {
        Ok(ack) => publish::answer(ack, deadline).await,
        Err(not_sent) => not_sent,
    }
}

/// Looks up the stored event that a duplicate was recognised by: the acknowledgement compares
/// ids alone, and an id on another subject would mean that this event is not in the log.
async fn first_time(
    js: &jetstream::Context,
    message: &Message,
    ack: PublishAck,
    deadline: Deadline,
) -> Result<Appended, AppendError> {
    let reader = LogReader::new(js.clone(), ack.stream.as_str());
    let first = deadline
        .wait_for(reader.get_from_leader(ack.sequence))
        .await;
    match first {
        Ok(Ok(Some(first))) if first.subject == message.subject => Ok(Appended {
            stream: ack.stream,
            sequence: ack.sequence,
            duplicate: true,
            time: first.time,
        }),
        Ok(Ok(Some(first))) => {
            let other = format!("its id belongs to the event {} already", first.sequence);
            Err(AppendError::Rejected(other.into()))
        }
        _ => Err(AppendError::FateUnknown),
    }
}

fn message(event: NewEvent<'_>) -> Result<Message, envelope::NoHeaderText> {
    let label = Label {
        event_id: event.event_id,
        event_type: event.event_type,
        version: &event.version.to_string(),
    };
    let mut headers = envelope::headers(&label, event.ctx)?;
    headers.insert(header::NATS_MESSAGE_ID, event.event_id.to_string());
    Ok(Message {
        subject: event.subject,
        headers,
        body: event.body,
    })
}

fn count_unless_stored(error: Option<&AppendError>) {
    match error {
        Some(AppendError::Unavailable(_)) => count("unavailable"),
        Some(AppendError::FateUnknown) => count("fate_unknown"),
        Some(AppendError::Full(_)) => count("full"),
        Some(AppendError::Rejected(_)) => count("rejected"),
        None => {}
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("eventstore_lane_events_total", "outcome" => outcome).increment(1);
}
