//! `GET /ws` and `/ws/chat`: from HTTP to a socket.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    extract::{
        FromRequestParts, Request, State,
        ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{
        HeaderMap, HeaderValue,
        header::{SEC_WEBSOCKET_KEY, UPGRADE},
        request::Parts,
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use doran_contract::{
    ErrorCode,
    frame::{CloseCode, MAX_FRAME_BYTES, SUBPROTOCOL},
};
use doran_platform::http::Refusal;
use futures_util::{SinkExt, TryStreamExt};

use super::{
    closing::{self, End},
    connection::{Opening, Protocol, run},
    sockjs_host,
    stomp::Version,
};
use crate::{gateway::Gateway, sockjs::greeting};

/// The default, 128 KiB for each socket and filled with zeros, is what a thousand idle sockets
/// would mostly be made of.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
const KEY_BYTES: usize = 16;

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Where clients written against Spring connect.
const CHAT: &str = "/ws/chat";

pub(crate) fn routes(gateway: &Gateway, address: Option<SocketAddr>) -> Router<Gateway> {
    Router::new()
        .route("/ws", any(native))
        .route(CHAT, any(either))
        .route(&format!("{CHAT}/websocket"), any(stomp))
        .merge(sockjs_host::mount(gateway, address).routes(CHAT))
        .layer(from_fn(require_key))
}

/// RFC 6455, 4.2.1: a key, if there is one, is 16 bytes in base64. axum takes anything.
async fn require_key(request: Request, next: Next) -> Response {
    let mut keys = request.headers().get_all(SEC_WEBSOCKET_KEY).iter();
    if keys.all(is_key) {
        return next.run(request).await;
    }
    let message = "Sec-WebSocket-Key must be 16 bytes in base64";
    Refusal::new(ErrorCode::BadRequest, message).into_response()
}

fn is_key(key: &HeaderValue) -> bool {
    let decoded = BASE64_STANDARD.decode(key.as_bytes());
    decoded.is_ok_and(|bytes| bytes.len() == KEY_BYTES)
}

async fn native(
    State(gateway): State<Gateway>,
    opening: Opening,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(gateway, Protocol::Native, opening, (&headers, upgrade)),
        Err(rejection) => refuse(&rejection),
    }
}

/// STOMP, unless the client offers the native protocol; and what SockJS says to whoever looks by.
async fn either(
    State(gateway): State<Gateway>,
    opening: Opening,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match upgrade {
        Err(_) if !headers.contains_key(UPGRADE) => greeting(),
        Ok(upgrade) => {
            let protocol = if offers_native(&upgrade) {
                Protocol::Native
            } else {
                Protocol::Stomp
            };
            open(gateway, protocol, opening, (&headers, upgrade))
        }
        Err(rejection) => refuse(&rejection),
    }
}

async fn stomp(
    State(gateway): State<Gateway>,
    opening: Opening,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(gateway, Protocol::Stomp, opening, (&headers, upgrade)),
        Err(rejection) => refuse(&rejection),
    }
}

fn offers_native(upgrade: &WebSocketUpgrade) -> bool {
    let mut offered = upgrade.requested_protocols();
    offered.any(|protocol| protocol.as_bytes() == SUBPROTOCOL.as_bytes())
}

impl FromRequestParts<Gateway> for Opening {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Infallible> {
        let client = gateway.proxies.client(&parts.headers, &parts.extensions);
        Ok(Self {
            ticket: parts.uri.query().and_then(ticket),
            peer: (client, 0).into(),
        })
    }
}

/// The ticket on the URL. It needs no decoding: its letters are those of a URL.
pub(super) fn ticket(query: &str) -> Option<String> {
    let ticket = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("ticket="));
    ticket.map(str::to_owned)
}

fn open(
    gateway: Gateway,
    protocol: Protocol,
    opening: Opening,
    (headers, upgrade): (&HeaderMap, WebSocketUpgrade),
) -> Response {
    let is_admitted = gateway.origins.admit(headers);
    let tasks = gateway.platform.lifecycle.tasks().clone();
    let upgrade = match protocol {
        Protocol::Native => upgrade.protocols([SUBPROTOCOL]),
        Protocol::Stomp => upgrade.protocols(Version::ALL.map(Version::subprotocol)),
    };
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .max_message_size(MAX_FRAME_BYTES)
        .on_upgrade(move |socket| {
            tasks.track_future(async move {
                metrics::gauge!("gateway_sockets").increment(1.0);
                if is_admitted {
                    let socket = socket.map_err(End::from).sink_map_err(End::from);
                    run(gateway, socket, protocol, opening).await;
                } else {
                    turn_away(socket).await;
                }
                metrics::gauge!("gateway_sockets").decrement(1.0);
            })
        })
}

/// A page learns nothing from a refused upgrade, so it gets a socket, and is told on that.
async fn turn_away(mut socket: WebSocket) {
    let farewell = closing::message(CloseCode::OriginRefused, 1);
    if let Err(error) = socket.send(farewell).await {
        tracing::debug!(%error, "a socket of a foreign origin is gone");
    }
}

fn refuse(rejection: &WebSocketUpgradeRejection) -> Response {
    let mut response = Refusal::new(
        ErrorCode::BadRequest,
        "a WebSocket handshake is expected here",
    )
    .into_response();
    *response.status_mut() = rejection.status();
    response
}
