//! Direct get: reading messages from any replica without the stream's API queue.
//!
//! async-nats has the form for one message only; a batch is one request with many answers and an
//! end mark.

use async_nats::{Client, Message, RequestErrorKind, StatusCode};
use futures_util::StreamExt;
use serde::Serialize;

use super::ReadError;
use crate::{
    Recorded,
    deadline::{Deadline, READ},
};

/// The most messages that one request may ask for.
pub(super) const PAGE: usize = 500;

const NO_MESSAGES: u16 = 404;
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

/// The answer to a request for many.
pub(super) struct Page {
    pub(super) events: Vec<Recorded>,
    /// How many more fit the request.
    pub(super) pending: u64,
}

/// What one message of a batch's answer is.
enum Part {
    Event(Box<Recorded>),
    End { pending: u64 },
}

impl Request<'_> {
    /// Asks for one message.
    pub(super) async fn one(
        &self,
        client: &Client,
        stream: &str,
    ) -> Result<Option<Recorded>, ReadError> {
        let request = async_nats::Request::new()
            .payload(self.json()?.into())
            .timeout(Some(READ));
        let answer = Deadline::after(READ)
            .wait_for(client.send_request(subject(stream), request))
            .await
            .map_err(ReadError::unavailable)?
            .map_err(ReadError::unavailable)?;
        match answer.status.map(|status| status.as_u16()) {
            None => Ok(Some(Recorded::from_direct_get(answer)?)),
            Some(NO_MESSAGES) => Ok(None),
            Some(_) => Err(unexpected(&answer)),
        }
    }

    /// Asks for many and collects them.
    pub(super) async fn many(&self, client: &Client, stream: &str) -> Result<Page, ReadError> {
        let deadline = Deadline::after(READ);
        let read = deadline.wait_for(self.collect(client, stream)).await;
        read.map_err(ReadError::unavailable)?
    }

    async fn collect(&self, client: &Client, stream: &str) -> Result<Page, ReadError> {
        let inbox = client.new_inbox();
        let answers = client.subscribe(inbox.clone()).await;
        let mut answers = answers.map_err(ReadError::unavailable)?;
        client
            .publish_with_reply(subject(stream), inbox, self.json()?.into())
            .await
            .map_err(ReadError::unavailable)?;

        let mut events: Vec<Recorded> = Vec::new();
        while let Some(answer) = answers.next().await {
            let preceding = events.last().map_or(0, |event| event.sequence);
            match part(answer, preceding)? {
                Part::Event(event) => events.push(*event),
                Part::End { pending } => return Ok(Page { events, pending }),
            }
        }
        Err(ReadError::unavailable("the connection was closed"))
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
        Some(NO_MESSAGES) => Ok(Part::End { pending: 0 }),
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
