//! The first frames of a socket: hello, and then a log-in. Nothing else is answered before it.

use axum::extract::ws::Message;
use doran_contract::{
    ErrorCode,
    frame::{
        ClientFrame, CloseCode, MAX_FRAME_BYTES, MAX_IN_FLIGHT, RESUME_MAX, Request, ServerFrame,
    },
};
use doran_platform::ws_ticket::TicketError;
use futures_util::{SinkExt, StreamExt};

use super::{
    Link,
    answer::Denied,
    authenticate::authenticate,
    closing::End,
    connection::Socket,
    frame::{self, Read},
    link::{ConnectionId, Dialect},
    request::Faults,
};
use crate::{gateway::Gateway, live::text};

const VERSION: u32 = 1;

/// Says hello and waits until the client has logged in. A ticket on the URL logs in by itself.
pub(super) async fn greet(
    gateway: &Gateway,
    socket: &mut impl Socket,
    ticket: Option<&str>,
) -> Result<Link, End> {
    let id = gateway.platform.clock.new_id();
    reply(socket, &hello(gateway, id)).await?;
    if let Some(ticket) = ticket
        && let Some(link) = enter_by_ticket(gateway, socket, id, ticket).await?
    {
        return Ok(link);
    }
    let mut faults = Faults::default();
    loop {
        let text = match socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return Err(End::Close(CloseCode::Protocol)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return Err(End::Closed),
            Some(Err(end)) => return Err(end),
        };
        match frame::read(&text) {
            Read::Frame(ClientFrame {
                id: request,
                request: Request::Auth { token },
            }) => {
                if let Some(link) = enter(gateway, socket, id, (request, &token)).await? {
                    return Ok(link);
                }
            }
            Read::Frame(ClientFrame { id: request, .. }) => {
                let denied = Denied::new(ErrorCode::Unauthenticated, "log in first");
                reply(socket, &denied.frame(request)).await?;
            }
            Read::Malformed { id: request } => {
                let (frame, end) = faults.count(request);
                reply(socket, &frame).await?;
                end?;
            }
        }
    }
}

/// None if a token may be tried instead.
async fn enter_by_ticket(
    gateway: &Gateway,
    socket: &mut impl Socket,
    id: ConnectionId,
    ticket: &str,
) -> Result<Option<Link>, End> {
    match gateway.tickets.redeem(ticket).await {
        Ok(token) => enter(gateway, socket, id, (None, &token)).await,
        Err(error @ TicketError::Invalid) => {
            let denied = Denied::new(ErrorCode::Unauthenticated, error.to_string());
            reply(socket, &denied.frame(None)).await?;
            Err(End::Close(CloseCode::BadCredentials))
        }
        Err(error @ TicketError::Unavailable(_)) => {
            tracing::warn!(%error, "a ticket cannot be redeemed");
            reply(socket, &Denied::unavailable().frame(None)).await?;
            Ok(None)
        }
    }
}

/// None if it may be tried again.
async fn enter(
    gateway: &Gateway,
    socket: &mut impl Socket,
    id: ConnectionId,
    (request, token): (Option<u64>, &str),
) -> Result<Option<Link>, End> {
    match authenticate(gateway, token).await {
        Ok(person) => {
            reply(socket, &person.welcome(request)).await?;
            Ok(Some(Link::new(
                id,
                person.id,
                person.login,
                Dialect::Native,
            )))
        }
        Err(refused) => {
            reply(socket, &refused.denied.frame(request)).await?;
            refused.end.map_or(Ok(None), |code| Err(End::Close(code)))
        }
    }
}

fn hello(gateway: &Gateway, id: ConnectionId) -> ServerFrame {
    let ping_ms = gateway.timing.ping.as_millis();
    ServerFrame::Hello {
        version: VERSION,
        connection: id.to_string(),
        ping_ms: u64::try_from(ping_ms).unwrap_or(u64::MAX),
        max_frame: MAX_FRAME_BYTES,
        max_in_flight: MAX_IN_FLIGHT,
        resume_max: RESUME_MAX,
    }
}

async fn reply(socket: &mut impl Socket, frame: &ServerFrame) -> Result<(), End> {
    socket.send(Message::Text(text(frame))).await
}
