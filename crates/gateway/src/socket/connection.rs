//! One socket from its first frame to its end, in whatever dialect: reading, writing and waiting for
//! its end, side by side.

use std::{future::pending, net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::ws::{Message, Utf8Bytes};
use doran_contract::{
    ErrorCode,
    frame::{CloseCode, ServerFrame},
};
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
    send::send_all,
    stomp::{self, heart_beats},
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
/// How long ending the session of a socket may take.
const LEAVE: Duration = Duration::from_secs(5);
/// How long the writing of the last frames may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long the other side may take to answer the close frame.
const LINGER: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    pub(super) gateway: Gateway,
    pub(super) link: Arc<Link>,
    pub(super) subscriptions: Subscriptions,
}

/// A way for messages to come and go: a WebSocket, or what stands for one.
pub(crate) trait Socket:
    Stream<Item = Result<Message, End>> + Sink<Message, Error = End> + Unpin + Send
{
}

impl<S> Socket for S where
    S: Stream<Item = Result<Message, End>> + Sink<Message, Error = End> + Unpin + Send
{
}

/// What is spoken on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Native,
    Stomp,
}

/// What is known of a socket before anything is said on it.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The ticket on the URL.
    pub(crate) ticket: Option<String>,
    pub(crate) peer: SocketAddr,
}

/// Reads the frames of one socket.
enum Reader {
    Native(Faults),
    Stomp(stomp::Reader),
}

/// Runs a socket to its end.
pub(crate) async fn run(
    gateway: Gateway,
    mut socket: impl Socket,
    protocol: Protocol,
    opening: Opening,
) {
    let (end, rest) = talk(&gateway, &mut socket, protocol, &opening).await;
    if let Some(link) = &rest {
        leave(&gateway, link, opening.peer);
    }
    close(&gateway, socket, protocol, (end, rest)).await;
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

    /// Counts a frame that writes or reads history against the limit that HTTP has too.
    pub(super) async fn limit(&self) -> Result<(), Denied> {
        let user = Subject::User(self.link.user_id);
        match self.gateway.limits.wait_before(Group::Chat, user).await {
            Some(wait) => Err(Denied::rate_limited(wait)),
            None => Ok(()),
        }
    }
}

/// Ends the session that was made for the socket, so that it is not one more that stands.
fn leave(gateway: &Gateway, link: &Link, peer: SocketAddr) {
    let login = link.login();
    if !login.ends_with_socket {
        return;
    }
    let lifecycle = &gateway.platform.lifecycle;
    let gateway = gateway.clone();
    lifecycle.spawn(async move {
        let left = gateway.services.log_out((&login.token, peer), LEAVE);
        match left.await {
            Ok(()) => {}
            // It was ended before, and that may be why the socket has ended.
            Err(refused) if refused.code == ErrorCode::Unauthenticated => {}
            Err(refused) => {
                tracing::warn!(code = ?refused.code, "the session of a socket stays until it expires");
            }
        }
    });
}

/// Returns the socket's end, and what still waits to be written.
async fn talk(
    gateway: &Gateway,
    socket: &mut impl Socket,
    protocol: Protocol,
    opening: &Opening,
) -> (End, Option<Arc<Link>>) {
    let stopping = gateway.platform.lifecycle.stopping();
    let greeted = tokio::select! {
        greeted = timeout(gateway.timing.authenticate, meet(gateway, socket, protocol, opening)) => greeted,
        () = stopping.cancelled() => return (End::Close(CloseCode::Draining), None),
    };
    let (link, reader, rates) = match greeted {
        Ok(Ok((link, reader, rates))) => (Arc::new(link), reader, rates),
        Ok(Err(end)) => return (end, None),
        Err(_) => return (End::Close(CloseCode::AuthenticationTimeout), None),
    };
    let _entry = gateway.sockets.enter(&link);
    let connection = Connection {
        gateway: gateway.clone(),
        subscriptions: Subscriptions::default(),
        link: Arc::clone(&link),
    };
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = listen(&connection, reader, &mut stream) => end,
        end = write(&mut sink, &link.outbox) => end,
        end = link.asked_to_end() => end,
        end = heart_beats(&link, rates) => end,
        () = link.outbox.overflown() => {
            metrics::counter!("gateway_outbox_overflows_total").increment(1);
            End::Close(CloseCode::SlowConsumer)
        }
    };
    (end, Some(link))
}

/// Waits until the client has logged in.
async fn meet(
    gateway: &Gateway,
    socket: &mut impl Socket,
    protocol: Protocol,
    opening: &Opening,
) -> Result<(Link, Reader, stomp::Rates), End> {
    match protocol {
        Protocol::Native => {
            let link = greet(gateway, socket, opening.ticket.as_deref()).await?;
            let reader = Reader::Native(Faults::default());
            Ok((link, reader, stomp::Rates::default()))
        }
        Protocol::Stomp => {
            let greeted = stomp::greet(gateway, socket, opening).await?;
            let reader = Reader::Stomp(greeted.reader);
            Ok((greeted.link, reader, greeted.rates))
        }
    }
}

impl Reader {
    /// Begins what a message asks for.
    fn hear<'a>(
        &mut self,
        connection: &'a Connection,
        message: Message,
        in_flight: &mut InFlight<'a>,
    ) -> Result<(), End> {
        match (self, message) {
            (_, Message::Ping(_) | Message::Pong(_)) => Ok(()),
            (_, Message::Close(_)) => Err(End::Closed),
            (Self::Native(faults), Message::Text(text)) => {
                if let Some(task) = take(connection, &text, faults)? {
                    in_flight.add(task);
                }
                Ok(())
            }
            (Self::Native(_), Message::Binary(_)) => Err(End::Close(CloseCode::Protocol)),
            (Self::Stomp(stomp), Message::Text(text)) => {
                stomp.feed(text.as_bytes())?;
                stomp.begin(connection, in_flight)
            }
            (Self::Stomp(stomp), Message::Binary(bytes)) => {
                stomp.feed(&bytes)?;
                stomp.begin(connection, in_flight)
            }
        }
    }

    /// Begins what came in an earlier message, now that something else is done.
    fn go_on<'a>(
        &mut self,
        connection: &'a Connection,
        in_flight: &mut InFlight<'a>,
    ) -> Result<(), End> {
        match self {
            Self::Native(_) => Ok(()),
            Self::Stomp(stomp) => stomp.begin(connection, in_flight),
        }
    }
}

async fn listen<S>(connection: &Connection, mut reader: Reader, stream: &mut S) -> End
where
    S: Stream<Item = Result<Message, End>> + Unpin,
{
    let stopping = connection.gateway.platform.lifecycle.stopping();
    let mut in_flight = InFlight::new(|outgoing| Box::pin(send_all(connection, outgoing)));
    // What came with the log-in.
    let mut went = reader.go_on(connection, &mut in_flight);
    let end = loop {
        if let Err(end) = went {
            break end;
        }
        // What has arrived is read before anything begins: messages behind each other go out together.
        let message = tokio::select! {
            biased;
            () = stopping.cancelled() => break End::Close(CloseCode::Draining),
            message = stream.next(), if !in_flight.is_full() => message,
            () = in_flight.one_done() => {
                connection.link.hear();
                went = reader.go_on(connection, &mut in_flight);
                continue;
            }
        };
        connection.link.hear();
        went = match message {
            Some(Ok(message)) => reader.hear(connection, message, &mut in_flight),
            Some(Err(end)) => Err(end),
            None => Err(End::Closed),
        };
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
async fn close(
    gateway: &Gateway,
    mut socket: impl Socket,
    protocol: Protocol,
    (end, rest): (End, Option<Arc<Link>>),
) {
    let is_too_large = matches!(
        end,
        End::Close(CloseCode::TooLarge) | End::Refused(CloseCode::TooLarge, _)
    );
    let farewell = match end {
        End::Close(code) => {
            let words = match protocol {
                Protocol::Native => None,
                Protocol::Stomp => Some(stomp::farewell(code)),
            };
            last_frames(gateway, code, words, rest)
        }
        End::Refused(code, words) => last_frames(gateway, code, Some(words), rest),
        End::Finished => {
            let mut frames = rest.map_or_else(Vec::new, |link| link.outbox.take_all());
            frames.push(closing::goodbye());
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
    if was_seen && is_too_large {
        sleep(LINGER).await;
    }
}

/// What waits, as far as it may still be read, last words, and the frame that closes.
fn last_frames(
    gateway: &Gateway,
    code: CloseCode,
    words: Option<Utf8Bytes>,
    rest: Option<Arc<Link>>,
) -> Vec<Message> {
    metrics::counter!("gateway_closes_total", "code" => code.code().to_string()).increment(1);
    let mut frames = rest
        .filter(|_| may_still_read(code))
        .map_or_else(Vec::new, |link| link.outbox.take_all());
    frames.extend(words.map(Message::Text));
    frames.push(closing::message(code, gateway.sockets.count()));
    frames
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
