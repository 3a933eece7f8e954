//! Commands to the chat service, over NATS to whichever instance is free.

use std::time::Duration;

use async_nats::{HeaderMap, Request, client::RequestErrorKind, connection::State};
use doran_contract::{ErrorCode, command::Reply};
use doran_platform::trace::{TRACEPARENT, Traceparent};
use serde::{Serialize, de::DeserializeOwned};

use super::{answer::Denied, connection::Connection};

const DEADLINE: Duration = Duration::from_secs(5);

/// Sends a command and waits for what became of it.
pub(super) async fn ask<C, T>(
    connection: &Connection,
    subject: &'static str,
    command: &C,
) -> Result<T, Denied>
where
    C: Serialize,
    T: DeserializeOwned,
{
    let nats = &connection.gateway.platform.nats;
    // A command that waits for the connection to come back could be done long after it was given
    // up, so nothing is sent at all.
    if nats.connection_state() != State::Connected {
        return Err(Denied::unavailable());
    }
    let body = serde_json::to_vec(command).expect("commands are made of plain data");
    let trace = Traceparent::random();
    tracing::debug!(trace_id = trace.trace_id(), subject, "a command goes out");
    let mut headers = HeaderMap::new();
    headers.insert(TRACEPARENT, trace.as_str());
    let request = Request::new()
        .headers(headers)
        .payload(body.into())
        .timeout(Some(DEADLINE));
    let reply = nats.send_request(subject, request).await.map_err(|error| {
        tracing::warn!(%error, subject, "a command was not answered");
        match error.kind() {
            RequestErrorKind::NoResponders
            | RequestErrorKind::InvalidSubject
            | RequestErrorKind::MaxPayloadExceeded => Denied::unavailable(),
            RequestErrorKind::TimedOut | RequestErrorKind::Other => fate_unknown(),
        }
    })?;
    match serde_json::from_slice(&reply.payload) {
        Ok(Reply::Accepted(accepted)) => Ok(accepted),
        Ok(Reply::Refused { code, message }) => Err(Denied::new(code, message)),
        Err(error) => {
            tracing::error!(%error, subject, "the answer to a command cannot be read");
            Err(fate_unknown())
        }
    }
}

fn fate_unknown() -> Denied {
    let message = "no answer came in time; send it again under the same id";
    Denied::new(ErrorCode::FateUnknown, message)
}
