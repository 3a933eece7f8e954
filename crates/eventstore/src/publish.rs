//! Sending messages to a stream and understanding what it answers. It decides no retry.

use std::{error::Error, time::Duration};

use async_nats::{
    Client, HeaderMap,
    connection::State,
    jetstream::{
        self, ErrorCode,
        context::{PublishAckFuture, PublishError, PublishErrorKind},
        message::PublishMessage,
        publish::PublishAck,
    },
};
use bytes::Bytes;

use crate::{BoxError, deadline::Deadline};

/// How often a lost connection is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It was not stored; the same event may be sent again.
    #[error("the event log cannot be reached")]
    Unavailable(#[source] BoxError),
    /// No answer came in time. Only the identical event may be sent again.
    #[error("the event log did not say whether it stored the event")]
    FateUnknown,
    /// The server has no room left. It was not stored; no try helps until somebody makes room.
    #[error("the event log is full")]
    Full(#[source] BoxError),
    /// The log refuses the event for good: too large, id used for another event.
    #[error("the event log does not take the event")]
    Rejected(#[source] BoxError),
}

impl AppendError {
    /// The same, of another event of the same batch.
    pub(crate) fn again(&self) -> Self {
        let told = |reason: &BoxError| BoxError::from(reason.to_string());
        match self {
            Self::Unavailable(reason) => Self::Unavailable(told(reason)),
            Self::FateUnknown => Self::FateUnknown,
            Self::Full(reason) => Self::Full(told(reason)),
            Self::Rejected(reason) => Self::Rejected(told(reason)),
        }
    }
}

/// A message for a stream.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a stream made of one sending of a message or a batch.
#[derive(Debug)]
pub(crate) enum Answer {
    Stored(PublishAck),
    /// The guard does not hold, or the batch is there already. The tail of the log knows which.
    Conflict,
    /// Not stored this time, and worth another try.
    NotNow(BoxError),
    /// Not stored, and not before the server has room again.
    Full(BoxError),
    /// Not stored, and no try will change that.
    Never(BoxError),
    /// It may be stored or not, also later.
    Silence,
}

/// Waits for a connection, so that what is not sent is known not to be sent.
pub(crate) async fn connected(client: &Client, deadline: Deadline) -> Result<(), BoxError> {
    let connection = async {
        while client.connection_state() != State::Connected {
            tokio::time::sleep(GLANCE).await;
        }
    };
    Ok(deadline.wait_for(connection).await?)
}

/// Hands a message to the connection. An error means that it was not sent.
pub(crate) async fn send(
    js: &jetstream::Context,
    message: Message,
    deadline: Deadline,
) -> Result<PublishAckFuture, Answer> {
    let publish = PublishMessage::build()
        .headers(message.headers)
        .payload(message.body);
    let sent = deadline.wait_for(js.send_publish(message.subject, publish));
    match sent.await {
        Ok(Ok(ack)) => Ok(ack),
        Ok(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
            Err(Answer::Never(error.into()))
        }
        Ok(Err(error)) => Err(Answer::NotNow(error.into())),
        Err(elapsed) => Err(Answer::NotNow(elapsed.into())),
    }
}

/// Waits for the stream's answer to what was sent.
pub(crate) async fn answer(ack: PublishAckFuture, deadline: Deadline) -> Answer {
    match deadline.wait_for(ack.into_future()).await {
        Ok(Ok(ack)) => Answer::Stored(ack),
        Ok(Err(error)) => refusal(error),
        Err(_elapsed) => Answer::Silence,
    }
}

/// Whether the reason for a failure is that the server has no room left. For those who write
/// elsewhere than in the log, such as into buckets.
pub fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let reason = error.downcast_ref::<jetstream::Error>();
        if reason.is_some_and(|reason| tells_of_no_room(reason.error_code())) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The limit of the server, of the account, and of a stream or its disk.
fn tells_of_no_room(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::INSUFFICIENT_RESOURCES
            | ErrorCode::STORAGE_RESOURCES_EXCEEDED
            | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
            | ErrorCode::STREAM_STORE_FAILED
    )
}

fn refusal(error: PublishError) -> Answer {
    let Some(reason) = error
        .source()
        .and_then(|e| e.downcast_ref::<jetstream::Error>())
    else {
        // Time-outs, broken connections, and also `no responders`: while a leader changes, the
        // message may have reached the old one.
        return Answer::Silence;
    };
    match reason.error_code() {
        // On a replica set the leader has a second code for the same thing.
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE
        | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT
        | ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE => Answer::Conflict,
        ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT
        | ErrorCode::STREAM_EXPECTED_LAST_SEQ_PER_SUBJECT_NOT_READY
        | ErrorCode::ATOMIC_PUBLISH_INCOMPLETE_BATCH
        | ErrorCode::ATOMIC_PUBLISH_TOO_MANY_INFLIGHT => Answer::NotNow(error.into()),
        code if tells_of_no_room(code) => Answer::Full(error.into()),
        _ if matches!(reason.code(), 429 | 503) => Answer::NotNow(error.into()),
        _ => Answer::Never(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(kind: PublishErrorKind, status: u16, code: u64) -> Answer {
        let error = json!({ "code": status, "err_code": code, "description": "" });
        let error: jetstream::Error = serde_json::from_value(error).unwrap();
        refusal(PublishError::with_source(kind, error))
    }

    #[test]
    fn both_codes_of_a_guard_and_a_batch_that_is_there_are_conflicts() {
        let wrong = answered(PublishErrorKind::WrongLastSequence, 400, 10071);
        assert!(matches!(wrong, Answer::Conflict));
        for code in [10164, 10201] {
            let other = answered(PublishErrorKind::Other, 400, code);
            assert!(matches!(other, Answer::Conflict), "{code}");
        }
    }

    #[test]
    fn a_server_without_leader_may_be_asked_again_and_a_too_large_message_not() {
        let no_leader = answered(PublishErrorKind::Other, 503, 10008);
        assert!(matches!(no_leader, Answer::NotNow(_)));
        let incomplete = answered(PublishErrorKind::Other, 400, 10176);
        assert!(matches!(incomplete, Answer::NotNow(_)));
        let too_large = answered(PublishErrorKind::Other, 400, 10054);
        assert!(matches!(too_large, Answer::Never(_)));
    }

    #[test]
    fn a_server_without_room_is_full() {
        for (status, code) in [(503, 10023), (500, 10047), (400, 10002), (503, 10077)] {
            let full = answered(PublishErrorKind::Other, status, code);
            let Answer::Full(error) = full else {
                panic!("{full:?}");
            };
            assert!(is_full(error.as_ref()), "{code}");
        }
    }

    #[test]
    fn no_answer_and_no_responders_leave_the_fate_open() {
        for kind in [
            PublishErrorKind::TimedOut,
            PublishErrorKind::BrokenPipe,
            PublishErrorKind::StreamNotFound,
        ] {
            assert!(
                matches!(refusal(PublishError::new(kind)), Answer::Silence),
                "{kind:?}"
            );
        }
    }
}
