//! Commands to the chat service: to this process if it is one, otherwise over NATS to whichever
//! instance is free.

use std::time::Duration;

use async_nats::{
    Client, HeaderMap, Message, Request, client::RequestErrorKind, connection::State,
};
use bytes::Bytes;
use doran_contract::{ErrorCode, command::Reply};
use doran_platform::{
    Handler, Platform, RawCommand,
    trace::{TRACEPARENT, Traceparent},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::oneshot, time::timeout};

use super::{answer::Denied, connection::Connection};

/// What each try waits for. An instance that was killed with a command in its hands costs a client
/// the first.
const TRIES: [Duration; 3] = [
    Duration::from_millis(1500),
    Duration::from_millis(1500),
    Duration::from_secs(2),
];

/// Sends a command and waits for what became of it. Without an answer the same command goes to
/// whichever instance is free then: they all know one that was executed by its id.
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
    let command = RawCommand {
        body: body.into(),
        traceparent: Some(trace.as_str().to_owned()),
    };
    let platform = &connection.gateway.platform;
    let reply = match platform.commands.handler(subject) {
        Some(handler) => ask_here(platform, handler, command).await?,
        None => try_all(nats, subject, command).await?.payload,
    };
    match serde_json::from_slice(&reply) {
        Ok(Reply::Accepted(accepted)) => Ok(accepted),
        Ok(Reply::Refused { code, message }) => Err(Denied::new(code, message)),
        Err(error) => {
            tracing::error!(%error, subject, "the answer to a command cannot be read");
            Err(fate_unknown())
        }
    }
}

/// The command comes to its end even if nobody waits for it any more.
async fn ask_here(
    platform: &Platform,
    handler: Handler,
    command: RawCommand,
) -> Result<Bytes, Denied> {
    let (answer, answered) = oneshot::channel();
    platform.lifecycle.spawn(async move {
        if answer.send(handler(command).await).is_err() {
            tracing::debug!("nobody waits for the answer to a command any more");
        }
    });
    match timeout(TRIES.iter().sum(), answered).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(_)) | Err(_) => Err(fate_unknown()),
    }
}

async fn try_all(
    nats: &Client,
    subject: &'static str,
    command: RawCommand,
) -> Result<Message, Denied> {
    let mut headers = HeaderMap::new();
    if let Some(traceparent) = command.traceparent {
        headers.insert(TRACEPARENT, traceparent);
    }
    let mut may_be_done = false;
    for patience in TRIES {
        let request = Request::new()
            .headers(headers.clone())
            .payload(command.body.clone())
            .timeout(Some(patience));
        let error = match nats.send_request(subject, request).await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        tracing::warn!(%error, subject, "a command was not answered");
        match error.kind() {
            RequestErrorKind::TimedOut => may_be_done = true,
            RequestErrorKind::Other => break,
            RequestErrorKind::NoResponders
            | RequestErrorKind::InvalidSubject
            | RequestErrorKind::MaxPayloadExceeded => {
                if may_be_done {
                    break;
                }
                return Err(Denied::unavailable());
            }
        }
    }
    Err(fate_unknown())
}

pub(super) fn fate_unknown() -> Denied {
    let message = "no answer came in time; send it again under the same id";
    Denied::new(ErrorCode::FateUnknown, message)
}
