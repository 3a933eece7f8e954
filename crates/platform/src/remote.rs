//! Commands between services over NATS: asked of whichever instance is free, and answered by it.
//!
//! Who may ask is said by the permissions of `nats.conf`; what becomes of it is decided by the
//! service that owns what is to be changed.

use std::time::Duration;

use async_nats::{
    Request,
    client::RequestError,
    service::{self, ServiceExt},
};
use doran_contract::{ErrorCode, command::Reply};
use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Platform, http::Refusal};

/// Commands of one kind that an instance works on at once.
const AT_ONCE: usize = 16;

/// Why a command was not done, as far as the asker knows.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the command cannot be written")]
    Malformed(#[source] serde_json::Error),
    #[error("{subject} was not answered")]
    NoAnswer {
        subject: String,
        source: RequestError,
    },
    #[error("the answer of {subject} cannot be read")]
    Unreadable {
        subject: String,
        source: serde_json::Error,
    },
    #[error("refused: {message}")]
    Refused { code: ErrorCode, message: String },
}

/// Asks for a command and waits for what became of it.
pub async fn ask<C, T>(
    platform: &Platform,
    subject: &str,
    command: &C,
    patience: Duration,
) -> Result<T, AskError>
where
    C: Serialize,
    T: DeserializeOwned,
{
    let body = serde_json::to_vec(command).map_err(AskError::Malformed)?;
    let request = Request::new().payload(body.into()).timeout(Some(patience));
    let sent = platform.nats.send_request(subject.to_owned(), request);
    let reply = sent.await.map_err(|source| AskError::NoAnswer {
        subject: subject.to_owned(),
        source,
    })?;
    match serde_json::from_slice(&reply.payload) {
        Ok(Reply::Accepted(accepted)) => Ok(accepted),
        Ok(Reply::Refused { code, message }) => Err(AskError::Refused { code, message }),
        Err(source) => Err(AskError::Unreadable {
            subject: subject.to_owned(),
            source,
        }),
    }
}

/// Answers a command until the process stops; its instances share the work.
pub async fn offer<C, T, F>(
    platform: &Platform,
    service: &str,
    subject: impl Into<String>,
    execute: impl Fn(C) -> F + Send + Sync + 'static,
) -> Result<(), async_nats::Error>
where
    C: DeserializeOwned + Send + 'static,
    T: Serialize + Send + 'static,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let subject = subject.into();
    let name = subject.rsplit('.').next().unwrap_or_default().to_owned();
    let micro = platform.nats.service_builder();
    let micro = micro.description("what jobs ask for").queue_group(service);
    let micro = micro
        .start(format!("{service}-{name}"), env!("CARGO_PKG_VERSION"))
        .await?;
    let endpoint = micro.endpoint_builder().name(name);
    let endpoint = endpoint.add(subject).await?;
    let stopping = platform.lifecycle.stopping().clone();
    platform.lifecycle.spawn(async move {
        let requests = endpoint.take_until(stopping.cancelled());
        let answering = requests.for_each_concurrent(AT_ONCE, async |request| {
            let reply = match serde_json::from_slice(&request.message.payload) {
                Ok(command) => execute(command).await,
                Err(_unreadable) => Err(Refusal::new(
                    ErrorCode::BadRequest,
                    "the command cannot be read",
                )),
            };
            respond(&request, reply).await;
        });
        answering.await;
        if let Err(error) = micro.stop().await {
            tracing::warn!(%error, "an endpoint did not stop in order");
        }
    });
    Ok(())
}

async fn respond<T: Serialize>(request: &service::Request, reply: Result<T, Refusal>) {
    let reply = match reply {
        Ok(answer) => Reply::Accepted(answer),
        Err(refusal) => Reply::Refused {
            code: refusal.code(),
            message: refusal.message().to_owned(),
        },
    };
    let sent = match serde_json::to_vec(&reply) {
        Ok(bytes) => request.respond(Ok(bytes.into())).await.map_err(Into::into),
        Err(error) => Err(async_nats::Error::from(error)),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "the answer to a command over NATS was not sent");
    }
}
