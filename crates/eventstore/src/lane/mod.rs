//! A lane: appending without a guard, many events in flight.
//!
//! A lone event is published by itself. `group` puts together what comes when many are under way, and
//! what has to keep its order.

mod group;
mod in_flight;

use std::{slice, sync::Arc};

use async_nats::{
    header,
    jetstream::{self, context::PublishAckFuture},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, Semaphore};
use uuid::Uuid;

use self::group::{Fate, Group, Run};
pub use self::in_flight::InFlight;
use crate::{
    BoxError, CommandContext,
    deadline::{Deadline, TOTAL, TRY},
    envelope::{self, Label},
    publish::{self, Answer, AppendError, Message},
};

/// Events that go to the log by themselves at once; what comes beside them goes together.
const ALONE: usize = 64;

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
    alone: Arc<Semaphore>,
    group: Arc<Group>,
}

impl Lane {
    pub fn new(js: jetstream::Context) -> Self {
        Self {
            js,
            turn: Arc::default(),
            alone: Arc::new(Semaphore::new(ALONE)),
            group: Arc::default(),
        }
    }

    /// Appends the event and answers when the log has it. Ends within 5 s, or 7 s where it goes with
    /// others. Two calls that do not wait for each other have no order; [`Lane::submit`] gives them
    /// one.
    pub async fn append(&self, event: NewEvent<'_>) -> Result<Appended, AppendError> {
        if let Ok(_permit) = self.alone.try_acquire() {
            return self.append_alone(event).await;
        }
        let together = self.append_together(slice::from_ref(&event)).await;
        match together.and_then(|outcomes| outcomes.into_iter().next()) {
            Some(outcome) => outcome,
            None => self.append_alone(event).await,
        }
    }

    /// Appends events of which none may overtake another, and says of each what became of it. Ends
    /// within 7 s, and 5 s more for each event that has to go alone.
    ///
    /// They go to the log as one atomic batch, with what others append meanwhile; or, if they are few,
    /// or the log has some of them already, one after the other. Behind an event that may still be
    /// stored later, which is every error but [`AppendError::Rejected`], none is stored.
    pub async fn append_in_order(
        &self,
        events: &[NewEvent<'_>],
    ) -> Vec<Result<Appended, AppendError>> {
        match events {
            [] => Vec::new(),
            [event] => vec![self.append(event.clone()).await],
            events => match self.append_together(events).await {
                Some(outcomes) => outcomes,
                None => self.append_one_by_one(events).await,
            },
        }
    }

    async fn append_alone(&self, event: NewEvent<'_>) -> Result<Appended, AppendError> {
        self.submit(event).await?.stored().await
    }

    /// None if each has to go alone.
    async fn append_together(
        &self,
        events: &[NewEvent<'_>],
    ) -> Option<Vec<Result<Appended, AppendError>>> {
        let messages: Result<Vec<_>, _> = events.iter().cloned().map(message).collect();
        let run = messages.ok().and_then(Run::new)?;
        let outcomes = match self.group.append(&self.js, run).await {
            Fate::Alone => return None,
            Fate::Stored { stream, first } => {
                metrics::counter!("eventstore_lane_events_total", "outcome" => "stored")
                    .increment(events.len() as u64);
                let place = |(event, sequence): (&NewEvent<'_>, u64)| {
                    Ok(Appended {
                        stream: stream.clone(),
                        sequence,
                        duplicate: false,
                        time: envelope::written_time(event.ctx.time),
                    })
                };
                events.iter().zip(first..).map(place).collect()
            }
            Fate::Failed(error) => {
                count_unless_stored(Some(&error));
                events.iter().map(|_| Err(error.again())).collect()
            }
        };
        Some(outcomes)
    }

    async fn append_one_by_one(
        &self,
        events: &[NewEvent<'_>],
    ) -> Vec<Result<Appended, AppendError>> {
        let mut outcomes = Vec::with_capacity(events.len());
        let mut may_lack_one = false;
        for event in events {
            let outcome = if may_lack_one {
                let reason = "one before it may not be stored";
                Err(AppendError::Unavailable(reason.into()))
            } else {
                self.append_alone(event.clone()).await
            };
            may_lack_one |= !matches!(outcome, Ok(_) | Err(AppendError::Rejected(_)));
            outcomes.push(outcome);
        }
        outcomes
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
