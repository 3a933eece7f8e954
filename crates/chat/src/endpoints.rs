//! Commands over NATS: a micro service whose instances share the work of the gateways.

use std::sync::Arc;

use async_nats::service::{Request, ServiceExt, endpoint::Endpoint};
use doran_contract::{
    ErrorCode, UserId,
    command::{
        CHANGE_MESSAGE, CHAT_QUEUE, ChangeMessage, Changed, MOVE_READ_MARKER, MoveReadMarker,
        ReadMarker, Reply, SEND_MESSAGES, SendMessage, SentInOrder,
    },
};
use doran_eventstore::{CommandContext, envelope::TRACEPARENT};
use doran_platform::{http::Refusal, trace::Traceparent};
use futures_util::{StreamExt, future::join3};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Semaphore;
use tracing::{Instrument, Span};

use crate::{
    commands::SOURCE,
    messages::{Sending, change, move_marker, send_all},
    state::Service,
};

/// Commands that one instance works on at once; the next ones wait in the subscription.
const MAX_IN_FLIGHT: usize = 1024;

/// Offers the commands until the process stops.
pub(crate) async fn serve(service: &Service) -> Result<(), async_nats::Error> {
    let micro = service
        .platform
        .nats
        .service_builder()
        .description("rooms and messages")
        .queue_group(CHAT_QUEUE)
        .start("chat", env!("CARGO_PKG_VERSION"))
        .await?;
    let sending = micro.endpoint_builder().name("SendMessages");
    let sending = sending.add(SEND_MESSAGES).await?;
    let changing = micro.endpoint_builder().name("ChangeMessage");
    let changing = changing.add(CHANGE_MESSAGE).await?;
    let reading = micro.endpoint_builder().name("MoveReadMarker");
    let reading = reading.add(MOVE_READ_MARKER).await?;

    let in_flight = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let service = service.clone();
    service.platform.lifecycle.clone().spawn(async move {
        join3(
            listen(&service, sending, &in_flight, send_messages),
            listen(&service, changing, &in_flight, change_message),
            listen(&service, reading, &in_flight, move_read_marker),
        )
        .await;
        if let Err(error) = micro.stop().await {
            tracing::warn!(%error, "the chat endpoints did not stop in order");
        }
    });
    Ok(())
}

async fn send_messages(
    service: Service,
    mut request: Command<Vec<SendMessage>>,
) -> Result<SentInOrder, Refusal> {
    let messages = std::mem::take(&mut request.command);
    let with_context = |message: SendMessage| {
        let ctx = request.context(&service, message.sender_id);
        (message, ctx)
    };
    let messages = messages.into_iter().map(with_context).collect();
    let sendings = send_all(&service, messages).await;
    let sent = |sending: Sending| sending.sent(service.platform.durability);
    let outcomes = sendings.into_iter().map(|sending| reply(sending.map(sent)));
    Ok(SentInOrder {
        outcomes: outcomes.collect(),
    })
}

async fn change_message(
    service: Service,
    request: Command<ChangeMessage>,
) -> Result<Changed, Refusal> {
    let ctx = request.context(&service, request.command.user_id);
    let changing = change(&service, request.command, ctx).await?;
    Ok(Changed { seq: changing.seq })
}

async fn move_read_marker(
    service: Service,
    request: Command<MoveReadMarker>,
) -> Result<ReadMarker, Refusal> {
    let ctx = request.context(&service, request.command.user_id);
    let moved = move_marker(&service, request.command, ctx).await?;
    Ok(ReadMarker { seq: moved.seq })
}

struct Command<C> {
    command: C,
    traceparent: Option<String>,
}

impl<C> Command<C> {
    /// What is sent, changed or moved names the command, so the id here is any.
    fn context(&self, service: &Service, actor: UserId) -> CommandContext {
        CommandContext {
            command_id: uuid::Uuid::nil(),
            time: service.platform.clock.now(),
            actor: Some(actor.to_string()),
            fingerprint: None,
            expected_sequence: None,
            correlation_id: None,
            causation_id: None,
            traceparent: self.traceparent.clone(),
            source: SOURCE,
        }
    }
}

async fn listen<C, A, F>(
    service: &Service,
    mut endpoint: Endpoint,
    in_flight: &Arc<Semaphore>,
    execute: fn(Service, Command<C>) -> F,
) where
    C: DeserializeOwned + Send + 'static,
    A: Serialize + Send + Sync + 'static,
    F: Future<Output = Result<A, Refusal>> + Send + 'static,
{
    let lifecycle = &service.platform.lifecycle;
    let stopping = lifecycle.stopping();
    while let Some(Some(request)) = stopping.run_until_cancelled(endpoint.next()).await {
        let permit = Arc::clone(in_flight).acquire_owned().await;
        let service = service.clone();
        let span = span(&request);
        let work = async move {
            let reply = match parse(&request) {
                Ok(command) => execute(service, command).await,
                Err(refusal) => Err(refusal),
            };
            respond(&request, reply).await;
            drop(permit);
        };
        lifecycle.spawn(work.instrument(span));
    }
}

/// What a command does belongs to the trace of whoever sent it.
fn span(request: &Request) -> Span {
    let trace = traceparent(request).and_then(Traceparent::parse);
    let span = tracing::info_span!(
        "command",
        subject = request.message.subject.as_str(),
        trace_id = trace.as_ref().map_or("", Traceparent::trace_id),
    );
    if let Some(trace) = trace {
        trace.adopt(&span);
    }
    span
}

fn traceparent(request: &Request) -> Option<&str> {
    let headers = request.message.headers.as_ref()?;
    Some(headers.get(TRACEPARENT)?.as_str())
}

fn parse<C: DeserializeOwned>(request: &Request) -> Result<Command<C>, Refusal> {
    let malformed = |error: serde_json::Error| {
        // The gateway made it, so this is a fault of ours, and the text in it stays out of the log.
        tracing::error!(category = ?error.classify(), "a command over NATS cannot be read");
        Refusal::new(ErrorCode::BadRequest, "the command cannot be read")
    };
    Ok(Command {
        command: serde_json::from_slice(&request.message.payload).map_err(malformed)?,
        traceparent: traceparent(request).map(str::to_owned),
    })
}

async fn respond<A: Serialize>(request: &Request, reply: Result<A, Refusal>) {
    let sent = match serde_json::to_vec(&self::reply(reply)) {
        Ok(bytes) => request.respond(Ok(bytes.into())).await.map_err(Into::into),
        Err(error) => Err(async_nats::Error::from(error)),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "the answer to a command over NATS was not sent");
    }
}

fn reply<A>(result: Result<A, Refusal>) -> Reply<A> {
    match result {
        Ok(answer) => Reply::Accepted(answer),
        Err(refusal) => Reply::Refused {
            code: refusal.code(),
            message: refusal.message().to_owned(),
        },
    }
}
