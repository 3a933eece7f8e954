//! How one event is written down.

use anyhow::Result;
use async_nats::HeaderValue;
use base64::{Engine, engine::general_purpose::STANDARD};
use doran_contract::Timestamp;
use doran_eventstore::{
    Recorded,
    envelope::{CORRELATION_ID, TRACEPARENT},
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::open::{Opener, abbreviate};

/// One event as a program reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    stream: &'a str,
    sequence: u64,
    time: Timestamp,
    #[serde(rename = "type")]
    event_type: &'a str,
    version: u32,
    subject: &'a str,
    event_id: Uuid,
    command_id: Option<Uuid>,
    actor: Option<&'a str>,
    /// The request from which it followed, and its trace.
    correlation_id: Option<&'a str>,
    traceparent: Option<&'a str>,
    /// The body; base64 of the bytes where it is not JSON.
    data: Value,
}

impl<'a> Line<'a> {
    pub(super) async fn of(event: &'a Recorded, opener: Option<&Opener>) -> Result<Self> {
        let mut data = serde_json::from_slice(&event.payload)
            .unwrap_or_else(|_| Value::String(STANDARD.encode(&event.payload)));
        if let Some(opener) = opener {
            opener.open(event, &mut data).await?;
        }
        let header = |name| event.headers.get(name).map(HeaderValue::as_str);
        Ok(Self {
            stream: &event.stream,
            sequence: event.sequence,
            time: event.time.into(),
            event_type: &event.event_type,
            version: event.version,
            subject: &event.subject,
            event_id: event.event_id,
            command_id: event.command_id,
            actor: event.actor.as_deref(),
            correlation_id: header(CORRELATION_ID),
            traceparent: header(TRACEPARENT),
            data,
        })
    }

    pub(super) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// For people: what happened on one line, its body below it.
    pub(super) fn text(mut self) -> String {
        abbreviate(&mut self.data);
        let actor = self
            .actor
            .map(|actor| format!("  by {actor}"))
            .unwrap_or_default();
        format!(
            "{}:{}  {}  {} v{}  {}{actor}\n    {}",
            self.stream,
            self.sequence,
            self.time,
            self.event_type,
            self.version,
            self.subject,
            self.data,
        )
    }
}
