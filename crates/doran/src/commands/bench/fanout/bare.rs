//! The baseline: what axum's sockets do with a loop around them. What one socket says goes to
//! all of them.

use std::net::SocketAddr;

use anyhow::Result;
use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::get,
};
use tokio::{net::TcpListener, sync::broadcast, task::JoinSet};

/// More than are ever under way.
const WAITING: usize = 65_536;

/// Serves until what it returns is dropped.
pub(super) async fn serve() -> Result<(SocketAddr, JoinSet<std::io::Result<()>>)> {
    let (said, _) = broadcast::channel::<Message>(WAITING);
    let routes = Router::new().route("/ws", get(upgrade)).with_state(said);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, routes).await });
    Ok((address, serving))
}

async fn upgrade(
    State(said): State<broadcast::Sender<Message>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.protocols([doran_contract::frame::SUBPROTOCOL]);
    upgrade.on_upgrade(|socket| carry(socket, said))
}

async fn carry(mut socket: WebSocket, said: broadcast::Sender<Message>) {
    let mut heard = said.subscribe();
    loop {
        tokio::select! {
            frame = socket.recv() => match frame {
                // Somebody hears it: this socket does.
                Some(Ok(frame @ Message::Text(_))) => drop(said.send(frame)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            Ok(frame) = heard.recv() => {
                if socket.send(frame).await.is_err() {
                    return;
                }
            }
        }
    }
}
