//! Questions to the leader of a stream, where a stale answer would do harm.
//!
//! A member that has lost its leader answers as well: that it cannot tell, or what it has itself.
//! Measured with nats-server 2.15.1 and three replicas: a leader whose store had reached
//! `max_file_store` gave its place up, and then was the first to answer half of all questions in
//! this way, for as long as it was full. So such answers are no answers, and the question is asked
//! again.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    self, ErrorCode,
    message::StreamMessage,
    response::Response,
    stream::{Info, RawMessageBuilder, RawMessageErrorKind, WithHeaders},
};
use serde_json::json;
use tokio::time::sleep;

use super::ReadError;
use crate::deadline::{Deadline, READ};

/// Before the question is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks the leader of one stream; each question has 2 s. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leader {
    js: jetstream::Context,
    stream: Arc<str>,
}

impl Leader {
    pub fn new(js: jetstream::Context, stream: impl Into<Arc<str>>) -> Self {
        Self {
            js,
            stream: stream.into(),
        }
    }

    /// What the stream is, and how far it reaches.
    pub async fn info(&self) -> Result<Info, ReadError> {
        self.insist(|| self.ask_for_info()).await
    }

    /// The message at a sequence.
    pub async fn get(&self, sequence: u64) -> Result<Option<StreamMessage>, ReadError> {
        self.insist(|| self.ask(|request| request.sequence(sequence)))
            .await
    }

    /// The last message whose subject fits `filter` (wildcards allowed).
    pub async fn last(&self, filter: &str) -> Result<Option<StreamMessage>, ReadError> {
        self.insist(|| self.ask(|request| request.last_by_subject(filter)))
            .await
    }

    /// The first message at or after a sequence whose subject fits `filter`.
    pub async fn next(
        &self,
        filter: &str,
        from_sequence: u64,
    ) -> Result<Option<StreamMessage>, ReadError> {
        let from_sequence = from_sequence.max(1);
        self.insist(|| self.ask(|request| request.sequence(from_sequence).next_by_subject(filter)))
            .await
    }

    /// Asks until somebody answers who can tell.
    async fn insist<T, F>(&self, question: impl Fn() -> F) -> Result<T, ReadError>
    where
        F: Future<Output = Result<Option<T>, ReadError>>,
    {
        let deadline = Deadline::after(READ);
        loop {
            let answer = deadline.wait_for(question()).await;
            if let Some(answer) = answer.map_err(ReadError::unavailable)?? {
                return Ok(answer);
            }
            if deadline.has_passed() {
                let reason = format!("stream {} has no leader", self.stream);
                return Err(ReadError::unavailable(reason));
            }
            sleep(PAUSE).await;
        }
    }

    /// None if who answered cannot tell.
    async fn ask_for_info(&self) -> Result<Option<Info>, ReadError> {
        let subject = format!("STREAM.INFO.{}", self.stream);
        let answer = self.js.request(subject, &json!({})).await;
        match answer.map_err(ReadError::unavailable)? {
            Response::Ok(info) => Ok(Some(info).filter(is_led)),
            Response::Err { error } if error.error_code() == ErrorCode::CLUSTER_NOT_AVAILABLE => {
                Ok(None)
            }
            Response::Err { error } => Err(ReadError::unavailable(error)),
        }
    }

    /// None if who answered cannot tell, and then whether there is such a message.
    async fn ask(
        &self,
        what: impl FnOnce(RawMessageBuilder<WithHeaders>) -> RawMessageBuilder<WithHeaders>,
    ) -> Result<Option<Option<StreamMessage>>, ReadError> {
        let stream = self.js.get_stream_no_info(&*self.stream).await;
        let stream = stream.map_err(ReadError::unavailable)?;
        let answer = what(stream.raw_message_builder()).send().await;
        answer.map_or_else(
            |error| match error.kind() {
                RawMessageErrorKind::NoMessageFound => Ok(Some(None)),
                RawMessageErrorKind::JetStream(reason)
                    if reason.error_code() == ErrorCode::CLUSTER_NOT_AVAILABLE =>
                {
                    Ok(None)
                }
                _ => Err(ReadError::unavailable(error)),
            },
            |message| Ok(Some(Some(message))),
        )
    }
}

/// One server alone leads all it has, and says nothing of a cluster, or its own name.
fn is_led(info: &Info) -> bool {
    let cluster = info.cluster.as_ref();
    cluster.is_none_or(|cluster| cluster.leader.is_some())
}
