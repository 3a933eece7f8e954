//! The services that the public test suite of the SockJS protocol asks for, on the transport that
//! the gateway uses: `cargo run -p doran-gateway --example sockjs_suite -- 8081`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    Router,
    extract::{
        ConnectInfo, Request, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::HeaderMap,
    routing::get,
};
use doran_gateway::sockjs::{Host, Mount, Pipe, Settings, Visitor, greeting};
use doran_platform::Lifecycle;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;

#[derive(Clone, Copy)]
enum Service {
    Echo,
    Close,
}

impl Host for Service {
    fn admits(&self, _: &HeaderMap) -> bool {
        true
    }

    fn client(&self, request: &Request) -> IpAddr {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |info| info.0.ip())
    }

    fn embedders(&self) -> String {
        "*".to_owned()
    }

    async fn serve(&self, mut pipe: Pipe, _: Visitor) {
        if matches!(self, Self::Close) {
            return;
        }
        while let Some(Ok(message)) = pipe.next().await {
            let is_text = matches!(message, Message::Text(_));
            if is_text && pipe.send(message).await.is_err() {
                return;
            }
        }
    }
}

/// Without SockJS in between.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.next().await {
        let is_text = matches!(message, Message::Text(_));
        if is_text && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn close(mut socket: WebSocket) {
    let frame = CloseFrame {
        code: 3000,
        reason: "Go away!".into(),
    };
    // Whoever is gone already need not be told.
    socket.send(Message::Close(Some(frame))).await.ok();
}

fn routes() -> Router {
    // As small as the suite wants it.
    let echo_settings = Settings {
        old_transports: true,
        response_bytes: 4096,
        ..Settings::default()
    };
    let lifecycle = Lifecycle::default();
    let mounts = [
        ("/echo", Service::Echo, echo_settings),
        ("/close", Service::Close, echo_settings),
        (
            "/disabled_websocket_echo",
            Service::Echo,
            Settings {
                websocket: false,
                ..echo_settings
            },
        ),
        (
            "/cookie_needed_echo",
            Service::Echo,
            Settings {
                cookie: true,
                ..echo_settings
            },
        ),
    ];
    let raw = |service: Service| {
        get(move |upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |socket| async move {
                match service {
                    Service::Echo => echo(socket).await,
                    Service::Close => close(socket).await,
                }
            })
        })
    };
    mounts
        .into_iter()
        .fold(Router::new(), |routes, (prefix, service, settings)| {
            routes
                .route(prefix, get(async || greeting()))
                .route(&format!("{prefix}/websocket"), raw(service))
                .merge(Mount::new(service, settings, &lifecycle).routes(prefix))
        })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(8081)));
    let listener = TcpListener::bind(address).await?;
    let service = routes().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}
