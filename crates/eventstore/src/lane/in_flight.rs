//! One event on its way to the log.

use std::time::Duration;

use async_nats::jetstream::{self, context::PublishAckFuture, publish::PublishAck};
use chrono::{DateTime, Utc};

use super::{Appended, count, count_unless_stored};
use crate::{
    LogReader,
    deadline::{Deadline, INQUIRY, TRY},
    publish::{self, Answer, AppendError, Message},
};

/// Before an event is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// An event on its way to the log.
#[derive(Debug)]
#[must_use = "only `stored` says whether the log has the event"]
pub struct InFlight {
    pub(super) js: jetstream::Context,
    pub(super) message: Message,
    pub(super) time: DateTime<Utc>,
    pub(super) ack: PublishAckFuture,
    pub(super) deadline: Deadline,
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
