//! `GET /ws`: from HTTP to a socket.

use axum::{
    Router,
    extract::{
        RawQuery, State,
        ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::any,
};
use doran_contract::{
    ErrorCode,
    frame::{CloseCode, MAX_FRAME_BYTES, SUBPROTOCOL},
};
use doran_platform::http::Refusal;

use super::{closing, connection::run};
use crate::gateway::Gateway;

/// The default, 128 KiB for each socket and filled with zeros, is what a thousand idle sockets
/// would mostly be made of.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/ws", any(native))
        .route("/ws/chat", any(either))
}

async fn native(
    State(gateway): State<Gateway>,
    query: RawQuery,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(gateway, ticket(query), &headers, upgrade),
        Err(rejection) => refuse(&rejection),
    }
}

/// Where clients written against Spring connect too, with another protocol or none.
async fn either(
    State(gateway): State<Gateway>,
    query: RawQuery,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match upgrade {
        Ok(upgrade) if offers_native(&upgrade) => open(gateway, ticket(query), &headers, upgrade),
        Ok(_) => {
            let message = "this server speaks doran.v1 here; offer it as the subprotocol";
            Refusal::new(ErrorCode::Unsupported, message).into_response()
        }
        Err(rejection) => refuse(&rejection),
    }
}

fn offers_native(upgrade: &WebSocketUpgrade) -> bool {
    let mut offered = upgrade.requested_protocols();
    offered.any(|protocol| protocol.as_bytes() == SUBPROTOCOL.as_bytes())
}

/// The ticket on the URL. It needs no decoding: its letters are those of a URL.
fn ticket(RawQuery(query): RawQuery) -> Option<String> {
    let query = query?;
    let ticket = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("ticket="));
    ticket.map(str::to_owned)
}

fn open(
    gateway: Gateway,
    ticket: Option<String>,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let is_admitted = gateway.origins.admit(headers);
    let tasks = gateway.platform.lifecycle.tasks().clone();
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .max_message_size(MAX_FRAME_BYTES)
        .on_upgrade(move |socket| {
            tasks.track_future(async move {
                metrics::gauge!("gateway_sockets").increment(1.0);
                if is_admitted {
                    run(gateway, socket, ticket).await;
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
