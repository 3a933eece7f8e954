//! Bots behind webhooks: one server, whose paths behave well and badly.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::post,
};
use doran_platform::Lifecycle;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a bot was told.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Webhooks {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Webhooks {
    pub(crate) async fn start(lifecycle: &Lifecycle) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let webhooks = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let routes = Router::new()
            .route("/{path}", post(receive))
            .with_state(webhooks.clone());
        let stopping = lifecycle.stopping().clone();
        lifecycle.spawn(async move {
            let serving = axum::serve(listener, routes).into_future();
            stopping.run_until_cancelled(serving).await;
        });
        webhooks
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn received(&self, path: &str) -> Vec<Received> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let of_path = received.iter().filter(|received| received.path == path);
        of_path.cloned().collect()
    }

    fn note(&self, received: Received) {
        let mut all = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(received);
    }
}

async fn receive(
    State(webhooks): State<Webhooks>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let received = Received {
        path: path.clone(),
        headers,
        body,
    };
    let said = received.json()["message"]["content"].clone();
    webhooks.note(received);
    let tries = webhooks.received(&path).len();
    let answer = |content: Value| axum::Json(json!({ "content": content })).into_response();
    let typed = |content_type: &str, body: String| {
        ([("content-type", content_type.to_owned())], body).into_response()
    };
    match path.as_str() {
        "hang" => std::future::pending().await,
        "fail-once" if tries == 1 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "repeat" | "quick" | "fail-once" => answer(said),
        "redirect" => {
            let target = [(LOCATION, webhooks.url("target"))];
            (StatusCode::TEMPORARY_REDIRECT, target).into_response()
        }
        "page" => typed("text/html", "<p>hello</p>".to_owned()),
        "garbage" => typed("application/json", "{\"content\":".to_owned()),
        "huge" => answer("x".repeat(100_000).into()),
        "long" => answer("가".repeat(10_001).into()),
        "bytes" => ([("content-type", "application/json")], vec![b'"', 0xff]).into_response(),
        "silent" => StatusCode::NO_CONTENT.into_response(),
        "stream" => {
            let lines = [
                "{\"delta\":\"안\"}\n",
                "{\"delta\":\"녕\"}\n",
                "{\"delta\":\"!\"}\n",
            ];
            let lines = futures_util::stream::iter(lines.map(Ok::<_, std::io::Error>));
            let body = Body::from_stream(lines);
            ([("content-type", "application/x-ndjson")], body).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
