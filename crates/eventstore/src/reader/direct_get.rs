//! Direct get: reading messages from any replica without the stream's API queue.
//!
//! async-nats has the form for one message only; a batch is one request with many answers and an
//! end mark.

use std::time::Duration;

use async_nats::{Client, Message, RequestErrorKind, StatusCode};
use futures_util::StreamExt;
use serde::Serialize;

use super::ReadError;
use crate::{
    Recorded,
    deadline::{Deadline, Elapsed, READ},
};

/// The most messages that one request may ask for.
pub(super) const PAGE: usize = 500;

/// How long a replica may take to begin its answer, before another one is asked.
const SILENCE: Duration = Duration::from_millis(400);

const NOT_FOUND: u16 = 404;
const END_OF_BATCH: u16 = 204;
const TOO_MANY_SUBJECTS: u16 = 413;
const PENDING: &str = "Nats-Num-Pending";
const PRECEDING: &str = "Nats-Last-Sequence";

/// The request's JSON. Fields that are not set are left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Request<'a> {
    #[serde(rename = "seq", skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<usize>,
    #[serde(rename = "next_by_subj", skip_serializing_if = "Option::is_none")]
    pub(super) next_by_subject: Option<&'a str>,
    #[serde(rename = "last_by_subj", skip_serializing_if = "Option::is_none")]
    pub(super) last_by_subject: Option<&'a str>,
    #[serde(rename = "multi_last", skip_serializing_if = "Option::is_none")]
    pub(super) last_per_subject: Option<[&'a str; 1]>,
}

/// What a replica makes of a request.
pub(super) enum Answer<T> {
    Found(T),
    NotFound,
    /// It did not begin to answer.
    Silence(Elapsed),
}

/// The answer to a request for many.
#[derive(Default)]
pub(super) struct Page {
    pub(super) events: Vec<Recorded>,
    /// How many more fit the request.
    pub(super) pending: u64,
}

/// What one message of a batch's answer is.
enum Part {
    Event(Box<Recorded>),
    End { pending: u64 },
    NotFound,
}

impl Request<'_> {
    /// Asks a replica for one message.
    pub(super) async fn one(
        &self,
        client: &Client,
        stream: &str,
        deadline: Deadline,
    ) -> Result<Answer<Recorded>, ReadError> {
        let request = async_nats::Request::new()
            .payload(self.json()?.into())
            .timeout(Some(READ));
        let asked = client.send_request(subject(stream), request);
        let answer = match deadline.within(SILENCE).wait_for(asked).await {
            Ok(answer) => answer.map_err(ReadError::unavailable)?,
            Err(elapsed) => return Ok(Answer::Silence(elapsed)),
        };
        match answer.status.map(|status| status.as_u16()) {
            None => Ok(Answer::Found(Recorded::from_direct_get(answer)?)),
            Some(NOT_FOUND) => Ok(Answer::NotFound),
            Some(_) => Err(unexpected(&answer)),
        }
    }

    /// Asks a replica for many messages and collects them.
    pub(super) async fn many(
        &self,
        client: &Client,
        stream: &str,
        deadline: Deadline,
    ) -> Result<Answer<Page>, ReadError> {
        let inbox = client.new_inbox();
        let answers = deadline.wait_for(client.subscribe(inbox.clone())).await;
        let mut answers = answers
            .map_err(ReadError::unavailable)?
            .map_err(ReadError::unavailable)?;
        let sent = client.publish_with_reply(subject(stream), inbox, self.json()?.into());
        let sent = deadline.wait_for(sent).await;
        sent.map_err(ReadError::unavailable)?
            .map_err(ReadError::unavailable)?;

        let mut events: Vec<Recorded> = Vec::new();
        let mut limit = deadline.within(SILENCE);
        loop {
            let answer = match limit.wait_for(answers.next()).await {
                Ok(Some(answer)) => answer,
                Ok(None) => return Err(ReadError::unavailable("the connection was closed")),
                Err(elapsed) if events.is_empty() => return Ok(Answer::Silence(elapsed)),
                Err(elapsed) => return Err(ReadError::unavailable(elapsed)),
            };
            limit = deadline;
            let preceding = events.last().map_or(0, |event| event.sequence);
            match part(answer, preceding)? {
                Part::Event(event) => events.push(*event),
                Part::End { pending } => return Ok(Answer::Found(Page { events, pending })),
                Part::NotFound => return Ok(Answer::NotFound),
            }
        }
    }

    fn json(&self) -> Result<Vec<u8>, ReadError> {
        serde_json::to_vec(self).map_err(ReadError::unavailable)
    }
}

fn part(answer: Message, preceding: u64) -> Result<Part, ReadError> {
    match answer.status.map(|status| status.as_u16()) {
        None => {
            // Each message names the one before it, so a lost one is noticed here.
            if number(&answer, PRECEDING) != Some(preceding) {
                return Err(ReadError::unavailable("a part of the answer was lost"));
            }
            Ok(Part::Event(Box::new(Recorded::from_direct_get(answer)?)))
        }
        Some(END_OF_BATCH) => {
            let ends_whole = number(&answer, PRECEDING) == Some(preceding);
            match number(&answer, PENDING) {
                Some(pending) if ends_whole => Ok(Part::End { pending }),
                _ => Err(ReadError::unavailable("the end of the answer was lost")),
            }
        }
        Some(NOT_FOUND) => Ok(Part::NotFound),
        Some(TOO_MANY_SUBJECTS) => Err(ReadError::TooManySubjects),
        Some(_) => Err(unexpected(&answer)),
    }
}

fn subject(stream: &str) -> String {
    format!("$JS.API.DIRECT.GET.{stream}")
}

fn number(message: &Message, header: &str) -> Option<u64> {
    let value = message.headers.as_ref()?.get(header)?;
    value.as_str().parse().ok()
}

fn unexpected(answer: &Message) -> ReadError {
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        return ReadError::unavailable(RequestErrorKind::NoResponders.to_string());
    }
    let status = answer.status.map_or(0, |status| status.as_u16());
    let description = answer.description.as_deref().unwrap_or_default();
    ReadError::unavailable(format!("the stream answered {status} {description}"))
}
