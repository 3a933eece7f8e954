//! Commands over NATS: a micro service whose instances share the work of the gateways. A gateway of
//! the same process is answered by this instance.

use std::sync::Arc;

use async_nats::service::{Request, ServiceExt, endpoint::Endpoint};
use bytes::Bytes;
use doran_contract::{
    ErrorCode, UserId,
    command::{
        CHANGE_MESSAGE, CHAT_QUEUE, ChangeMessage, Changed, MOVE_READ_MARKER, MoveReadMarker,
        ReadMarker, Reply, SEND_MESSAGES, SendMessage, SentInOrder,
    },
};
use doran_eventstore::{CommandContext, envelope::TRACEPARENT};
use doran_platform::{Handler, RawCommand, http::Refusal, trace::Traceparent};
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
    let endpoints = join3(
        offer(service, &in_flight, (SEND_MESSAGES, sending), send_messages),
        offer(
            service,
            &in_flight,
            (CHANGE_MESSAGE, changing),
            change_message,
        ),
        offer(
            service,
            &in_flight,
            (MOVE_READ_MARKER, reading),
            move_read_marker,
        ),
    );
    service.platform.lifecycle.spawn(async move {
        endpoints.await;
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

/// Answers a command to gateways of this process, and over NATS until the process stops.
fn offer<C, A, F>(
    service: &Service,
    in_flight: &Arc<Semaphore>,
    (subject, mut endpoint): (&'static str, Endpoint),
    execute: fn(Service, Command<C>) -> F,
) -> impl Future<Output = ()> + Send + use<C, A, F>
where
    C: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Future<Output = Result<A, Refusal>> + Send + 'static,
{
    let platform = service.platform.clone();
    let (service, in_flight) = (service.clone(), Arc::clone(in_flight));
    let permit = move || Arc::clone(&in_flight).acquire_owned();
    let answer = move |command| answer(service.clone(), subject, command, execute);

    let (permit_here, answer_here) = (permit.clone(), answer.clone());
    let handler: Handler = Arc::new(move |command| {
        let (permit, answer) = (permit_here(), answer_here(command));
        Box::pin(async move {
            let _permit = permit.await;
            answer.await
        })
    });
    platform.commands.offer(subject, handler);

    async move {
        let lifecycle = &platform.lifecycle;
        let stopping = lifecycle.stopping();
        while let Some(Some(request)) = stopping.run_until_cancelled(endpoint.next()).await {
            let permit = permit().await;
            let answer = answer(raw(&request));
            lifecycle.spawn(async move {
                if let Err(error) = request.respond(Ok(answer.await)).await {
                    tracing::warn!(%error, "the answer to a command over NATS was not sent");
                }
                drop(permit);
            });
        }
    }
}

fn raw(request: &Request) -> RawCommand {
    let headers = request.message.headers.as_ref();
    let traceparent = headers.and_then(|headers| headers.get(TRACEPARENT));
    RawCommand {
        body: request.message.payload.clone(),
        traceparent: traceparent.map(|header| header.as_str().to_owned()),
    }
}

async fn answer<C, A, F>(
    service: Service,
    subject: &'static str,
    command: RawCommand,
    execute: fn(Service, Command<C>) -> F,
) -> Bytes
where
    C: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, Refusal>>,
{
    let span = span(subject, command.traceparent.as_deref());
    let work = async move {
        match parse(command) {
            Ok(command) => execute(service, command).await,
            Err(refusal) => Err(refusal),
        }
    };
    let reply = reply(work.instrument(span).await);
    let reply = serde_json::to_vec(&reply).expect("answers are made of plain data");
    reply.into()
}

/// What a command does belongs to the trace of whoever sent it.
fn span(subject: &'static str, traceparent: Option<&str>) -> Span {
    let trace = traceparent.and_then(Traceparent::parse);
    let trace_id = trace.as_ref().map_or("", Traceparent::trace_id);
    let span = tracing::info_span!("command", subject, trace_id);
    if let Some(trace) = trace {
        trace.adopt(&span);
    }
    span
}

fn parse<C: DeserializeOwned>(command: RawCommand) -> Result<Command<C>, Refusal> {
    let malformed = |error: serde_json::Error| {
        // The gateway made it, so this is a fault of ours, and the text in it stays out of the log.
        tracing::error!(category = ?error.classify(), "a command cannot be read");
        Refusal::new(ErrorCode::BadRequest, "the command cannot be read")
    };
    Ok(Command {
        command: serde_json::from_slice(&command.body).map_err(malformed)?,
        traceparent: command.traceparent,
    })
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
