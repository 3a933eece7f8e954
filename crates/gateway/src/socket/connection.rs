//! One socket from hello to its end: reading, writing and waiting for its end, side by side.

use std::{future::pending, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use doran_contract::frame::{CloseCode, ServerFrame};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::time::{sleep, timeout};

use super::{
    Link,
    answer::Denied,
    closing::{self, End},
    greeting::greet,
    in_flight::InFlight,
    outbox::Outbox,
    request::{Faults, take},
    subscriptions::Subscriptions,
};
use crate::{
    gateway::Gateway,
    limits::{Group, Subject},
    live::text,
};

/// How long a client may take to read one batch of frames.
const STALL: Duration = Duration::from_secs(30);
/// How long requests under way may take once their socket has ended.
const FINISH: Duration = Duration::from_secs(2);
/// How long the writing of the last frames may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long the other side may take to answer the close frame.
const LINGER: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    pub(super) gateway: Gateway,
    pub(super) link: Arc<Link>,
    pub(super) subscriptions: Subscriptions,
}

/// Runs a socket to its end.
pub(super) async fn run(gateway: Gateway, mut socket: WebSocket, ticket: Option<String>) {
    let (end, rest) = talk(&gateway, &mut socket, ticket).await;
    close(&gateway, socket, end, rest).await;
}

impl Connection {
    /// Adds an answer once the client has read most of what waits.
    pub(super) async fn reply(&self, frame: &ServerFrame) {
        self.link.outbox.answer(text(frame)).await;
    }

    /// Adds a frame at once.
    pub(super) fn push(&self, frame: &ServerFrame) {
        self.link.outbox.push(text(frame));
    }

    pub(super) fn deny(&self, id: Option<u64>, denied: Denied) {
        self.push(&denied.frame(id));
    }

    /// Whether what is decided on has not been confirmed for too long.
    pub(super) fn is_cut_off(&self) -> bool {
        self.gateway.contact.silence() > self.gateway.timing.refuse_after
    }

    /// Counts a frame that writes against the limit that HTTP has too.
    pub(super) async fn limit_writing(&self) -> Result<(), Denied> {
        let user = Subject::User(self.link.user_id);
        match self.gateway.limits.wait_before(Group::Chat, user).await {
            Some(wait) => Err(Denied::rate_limited(wait)),
            None => Ok(()),
        }
    }
}

/// Returns the socket's end, and what still waits to be written.
async fn talk(
    gateway: &Gateway,
    socket: &mut WebSocket,
    ticket: Option<String>,
) -> (End, Option<Arc<Link>>) {
    let stopping = gateway.platform.lifecycle.stopping();
    let greeted = tokio::select! {
        greeted = timeout(gateway.timing.authenticate, greet(gateway, socket, ticket)) => greeted,
        () = stopping.cancelled() => return (End::Close(CloseCode::Draining), None),
    };
    let link = match greeted {
        Ok(Ok(link)) => Arc::new(link),
        Ok(Err(end)) => return (end, None),
        Err(_) => return (End::Close(CloseCode::AuthenticationTimeout), None),
    };
    let _entry = gateway.sockets.enter(&link);
    let connection = Connection {
        gateway: gateway.clone(),
        subscriptions: Subscriptions::new(link.id),
        link: Arc::clone(&link),
    };
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = listen(&connection, &mut stream) => end,
        end = write(&mut sink, &link.outbox) => end,
        code = link.asked_to_close() => End::Close(code),
        () = link.outbox.overflown() => {
            metrics::counter!("gateway_outbox_overflows_total").increment(1);
            End::Close(CloseCode::SlowConsumer)
        }
    };
    (end, Some(link))
}

async fn listen<S>(connection: &Connection, stream: &mut S) -> End
where
    S: Stream<Item = Result<Message, axum::Error>> + Unpin,
{
    let stopping = connection.gateway.platform.lifecycle.stopping();
    let mut in_flight = InFlight::default();
    let mut faults = Faults::default();
    let end = loop {
        let message = tokio::select! {
            message = stream.next(), if !in_flight.is_full() => message,
            () = in_flight.one_done() => {
                connection.link.hear();
                continue;
            }
            () = stopping.cancelled() => break End::Close(CloseCode::Draining),
        };
        connection.link.hear();
        match message {
            Some(Ok(Message::Text(text))) => match take(connection, &text, &mut faults) {
                Ok(Some((lane, work))) => in_flight.add(lane, work),
                Ok(None) => {}
                Err(end) => break end,
            },
            Some(Ok(Message::Binary(_))) => break End::Close(CloseCode::Protocol),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => break End::Closed,
            Some(Err(error)) => break error.into(),
        }
    };
    // What was sent before is still done, also for a client that does not wait for its acks.
    if timeout(FINISH, in_flight.all_done()).await.is_err() {
        tracing::debug!("a socket ended before its requests");
    }
    end
}

/// Writes what waits. The reader is the one who notices that the connection is gone.
async fn write<S>(sink: &mut S, outbox: &Outbox) -> End
where
    S: Sink<Message> + Unpin,
{
    loop {
        let batch = outbox.next().await;
        let writing = async {
            for message in batch {
                sink.feed(message).await?;
            }
            sink.flush().await
        };
        match timeout(STALL, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return pending().await,
            Err(_) => return End::Close(CloseCode::SlowConsumer),
        }
    }
}

/// Says why, and waits for the other side to have seen it.
async fn close(gateway: &Gateway, mut socket: WebSocket, end: End, rest: Option<Arc<Link>>) {
    let farewell = match end {
        End::Close(code) => {
            metrics::counter!("gateway_closes_total", "code" => code.code().to_string())
                .increment(1);
            let mut frames = rest
                .filter(|_| may_still_read(code))
                .map_or_else(Vec::new, |link| link.outbox.take_all());
            frames.push(closing::message(code, gateway.sockets.count()));
            frames
        }
        End::Closed => Vec::new(),
        End::Gone => return,
    };
    let saying = async {
        for message in farewell {
            socket.feed(message).await?;
        }
        socket.flush().await
    };
    if !matches!(timeout(FAREWELL, saying).await, Ok(Ok(()))) {
        return;
    }
    let seen = async { while let Some(Ok(_)) = socket.next().await {} };
    let was_seen = timeout(LINGER, seen).await.is_ok();
    // Of an oversized frame nothing more can be read. The connection stays for a moment, because
    // closing it with unread bytes resets it, and the client would not see why.
    if was_seen && end == End::Close(CloseCode::TooLarge) {
        sleep(LINGER).await;
    }
}

/// Whether the frames that wait are still meant for whoever is there.
fn may_still_read(code: CloseCode) -> bool {
    match code {
        CloseCode::SlowConsumer | CloseCode::SessionRevoked | CloseCode::AccountEnded => false,
        CloseCode::Draining
        | CloseCode::PingTimeout
        | CloseCode::TokenExpired
        | CloseCode::Resync
        | CloseCode::AuthenticationTimeout
        | CloseCode::Protocol
        | CloseCode::BadCredentials
        | CloseCode::TooLarge
        | CloseCode::OriginRefused => true,
    }
}
