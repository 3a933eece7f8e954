//! What a command's headers say: its identity, its precondition, where it came from.

use axum::{extract::FromRequestParts, http::request::Parts};
use doran_contract::{ErrorCode, UserId, id};
use doran_eventstore::CommandContext;
use uuid::Uuid;

use super::{
    IDEMPOTENCY_KEY, Refusal, RequestId,
    openapi::{Sketch, Takes},
};
use crate::{
    Platform,
    trace::{TRACEPARENT, Traceparent},
};

const MAX_KEY_BYTES: usize = 255;

/// Headers of a command. Together with the actor and the body they make its context.
#[derive(Clone, Debug)]
pub struct CommandHeaders {
    route: String,
    idempotency_key: Option<String>,
    if_match: Option<u64>,
    request_id: Option<String>,
    traceparent: Option<String>,
}

impl CommandHeaders {
    /// The command's context. With an `Idempotency-Key` a retry has the same command id.
    pub fn context(
        &self,
        platform: &Platform,
        source: &'static str,
        actor: Option<UserId>,
        raw: &[u8],
    ) -> CommandContext {
        CommandContext {
            command_id: self.command_id(platform, actor),
            time: platform.clock.now(),
            actor: actor.map(|id| id.to_string()),
            fingerprint: self
                .idempotency_key
                .as_ref()
                .map(|_| platform.blinder.fingerprint(actor, raw)),
            expected_sequence: self.if_match,
            correlation_id: self.request_id.clone(),
            causation_id: None,
            traceparent: self.traceparent.clone(),
            source,
        }
    }

    /// The id that was derived from the `Idempotency-Key`, if there is one.
    pub fn idempotent_id(&self, actor: Option<UserId>) -> Option<Uuid> {
        let key = self.idempotency_key.as_ref()?;
        let actor = actor.map_or_else(|| "anonymous".to_owned(), |id| id.to_string());
        Some(id::command_id(&actor, &self.route, key))
    }

    fn command_id(&self, platform: &Platform, actor: Option<UserId>) -> Uuid {
        self.idempotent_id(actor)
            .unwrap_or_else(|| platform.clock.new_id())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CommandHeaders {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().ok());
        let idempotency_key = match text(IDEMPOTENCY_KEY) {
            None => None,
            Some(Some(key)) if (1..=MAX_KEY_BYTES).contains(&key.len()) => Some(key.to_owned()),
            Some(_) => return Err(bad("Idempotency-Key must be 1 to 255 visible characters")),
        };
        let if_match = match text("if-match") {
            None | Some(Some("*")) => None,
            Some(value) => Some(
                value
                    .and_then(version)
                    .ok_or_else(|| bad("If-Match must be an ETag such as \"42\""))?,
            ),
        };
        Ok(Self {
            route: format!("{} {}", parts.method, parts.uri.path()),
            idempotency_key,
            if_match,
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
            traceparent: text(TRACEPARENT)
                .flatten()
                .and_then(Traceparent::parse)
                .map(|trace| trace.as_str().to_owned()),
        })
    }
}

impl Takes for CommandHeaders {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.is_command();
        sketch.reads_header("IfMatch");
        sketch.refuses([400, 412, 504]);
    }
}

fn version(etag: &str) -> Option<u64> {
    etag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

fn bad(message: &'static str) -> Refusal {
    Refusal::new(ErrorCode::BadRequest, message)
}
