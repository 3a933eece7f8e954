//! The one function that appends guarded events, with the one spelling of the guard.
//!
//! On a replica set the leader compares the guard's filter as text, so two spellings of one
//! filter, or one writer without it, would let conflicting events through. See ADR 0002.

use std::time::Duration;

use async_nats::{
    HeaderMap, HeaderValue,
    client::PublishErrorKind,
    header,
    jetstream::{self, publish::PublishAck},
};
use tokio::time::Instant;

use crate::{
    BoxError,
    deadline::{Deadline, TRY},
    publish::{self, Answer, AppendError, Message},
};

/// Which subjects the expected sequence is of; async-nats has no name for it.
const GUARD_FILTER: &str = "Nats-Expected-Last-Subject-Sequence-Subject";

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// What came of a batch.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Stored, and no event of anybody else between them; the acknowledgement is the last one's.
    Stored(PublishAck),
    /// The guard did not hold.
    Conflict {
        /// An earlier sending had no answer, so what broke the guard may be this very batch.
        maybe_own: bool,
    },
}

/// The subjects of one aggregate, in the only form in which a guard may name them.
pub(crate) fn guard_filter(aggregate_type: &str, id: &str) -> String {
    format!("{aggregate_type}.{id}.*")
}

/// Guards an event by all subjects of its aggregate. `sequence` is the stream sequence of the
/// aggregate's last event; 0 says that it must have none.
pub(crate) fn guard_aggregate(headers: &mut HeaderMap, filter: &str, sequence: u64) {
    guard_subject(headers, sequence);
    headers.insert(GUARD_FILTER, filter);
}

/// Guards a message by the subject it is published to.
pub(crate) fn guard_subject(headers: &mut HeaderMap, sequence: u64) {
    let sequence = HeaderValue::from(sequence);
    headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, sequence);
}

/// Appends guarded messages, all or none, sending the identical batch again where no answer comes.
pub(crate) async fn append(
    js: &jetstream::Context,
    batch: &[Message],
    deadline: Deadline,
) -> Result<Verdict, AppendError> {
    let begun = Instant::now();
    let mut maybe_stored = false;
    let mut pause = FIRST_PAUSE;
    loop {
        let failure = match send_once(js, batch, deadline.within(TRY)).await {
            Answer::Stored(ack) => {
                metrics::histogram!("eventstore_append_seconds").record(begun.elapsed());
                return Ok(Verdict::Stored(ack));
            }
            Answer::Conflict => {
                return Ok(Verdict::Conflict {
                    maybe_own: maybe_stored,
                });
            }
            Answer::Never(reason) if !maybe_stored => return Err(AppendError::Rejected(reason)),
            Answer::Full(reason) if !maybe_stored => return Err(AppendError::Full(reason)),
            Answer::Never(_) | Answer::Full(_) => return Err(AppendError::FateUnknown),
            Answer::NotNow(reason) => reason,
            Answer::Silence => {
                maybe_stored = true;
                BoxError::from("no acknowledgement came")
            }
        };
        if deadline.remaining() <= pause {
            return Err(if maybe_stored {
                AppendError::FateUnknown
            } else {
                AppendError::Unavailable(failure)
            });
        }
        tracing::debug!(error = &*failure, "sending a batch again");
        metrics::counter!("eventstore_append_retries_total").increment(1);
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

async fn send_once(js: &jetstream::Context, batch: &[Message], deadline: Deadline) -> Answer {
    if deadline.has_passed() {
        return Answer::NotNow("there is no time left to wait for an answer".into());
    }
    let client = js.client();
    if let Err(elapsed) = publish::connected(&client, deadline).await {
        return Answer::NotNow(elapsed);
    }
    let Some((last, before)) = batch.split_last() else {
        return Answer::Never("an empty batch".into());
    };
    let mut last = last.clone();
    if !before.is_empty() {
        // A new id for each sending: what is left of an unfinished one must not mix with this.
        let id = format!("{:032x}", rand::random::<u128>());
        for (index, message) in before.iter().enumerate() {
            let mut headers = message.headers.clone();
            mark(&mut headers, &id, index);
            let (subject, body) = (message.subject.clone(), message.body.clone());
            let sent = deadline.wait_for(client.publish_with_headers(subject, headers, body));
            match sent.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    return Answer::Never(error.into());
                }
                // Without its commit the server drops the part that was sent.
                Ok(Err(error)) => return Answer::NotNow(error.into()),
                Err(elapsed) => return Answer::NotNow(elapsed.into()),
            }
        }
        mark(&mut last.headers, &id, before.len());
        last.headers
            .insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
    }
    match publish::send(js, last, deadline).await {
        Ok(ack) => publish::answer(ack, deadline).await,
        Err(not_sent) => not_sent,
    }
}

fn mark(headers: &mut HeaderMap, batch_id: &str, index: usize) {
    headers.insert(header::NATS_BATCH_ID, batch_id);
    headers.insert(
        header::NATS_BATCH_SEQUENCE,
        HeaderValue::from(index as u64 + 1),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_has_one_spelling_and_is_sent_for_an_aggregate_without_events_too() {
        let filter = guard_filter("note", "17");
        assert_eq!(filter, "note.17.*");
        let mut headers = HeaderMap::new();
        guard_aggregate(&mut headers, &filter, 0);
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        assert_eq!(
            text("Nats-Expected-Last-Subject-Sequence").as_deref(),
            Some("0")
        );
        assert_eq!(
            text("Nats-Expected-Last-Subject-Sequence-Subject").as_deref(),
            Some("note.17.*")
        );
    }
}
