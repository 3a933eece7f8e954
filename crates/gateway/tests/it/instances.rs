//! Services in several other processes, some of which do not answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{get, post},
};
use doran_gateway::Upstream;
use doran_platform::http::{Health, Success};
use futures_util::{StreamExt, future::join_all, stream};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

use crate::world::{Setup, World, echo_routes, listen};

async fn in_front_of(addresses: &[SocketAddr]) -> World {
    let bases = addresses
        .iter()
        .map(|address| format!("http://{address}").parse().unwrap());
    World::with(Setup {
        chat: Some(Upstream::Http(bases.collect())),
        ..Setup::default()
    })
    .await
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Reads what comes and hangs up, so often.
async fn hangs_up(world: &World) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    world.platform.lifecycle.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4096];
            if stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    (address, calls)
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let code = answer["errorCode"].as_str().unwrap_or_default();
    (status, code.to_owned())
}

#[tokio::test]
async fn a_dead_instance_is_left_at_once_and_nobody_notices() {
    let elsewhere = World::start().await;
    let alive = listen(&elsewhere.platform, echo_routes("/api/chat")).await;
    let world = in_front_of(&[nobody(), alive]).await;
    let http = Client::new();
    for _ in 0..20 {
        let said = http
            .post(world.url("/api/chat/echo"))
            .body("text")
            .send()
            .await;
        let said: Value = serde_json::from_str(&said.unwrap().text().await.unwrap()).unwrap();
        assert_eq!(said["data"]["body"], "text");
        let asked = http.get(world.url("/api/chat/echo")).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn what_may_be_repeated_is_and_what_may_not_has_an_unknown_fate() {
    let elsewhere = World::start().await;
    let alive = listen(&elsewhere.platform, echo_routes("/api/chat")).await;
    let (deaf, calls) = hangs_up(&elsewhere).await;
    let send = async |key: Option<&str>| {
        let world = Box::pin(in_front_of(&[deaf, alive])).await;
        let mut request = Client::new().post(world.url("/api/chat/echo")).body("text");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        code(request.send().await.unwrap()).await
    };
    assert_eq!(send(None).await, (504, "FATE_UNKNOWN".to_owned()));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(send(Some("key")).await, (200, String::new()));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let world = in_front_of(&[deaf, alive]).await;
    let asked = Client::new()
        .get(world.url("/api/chat/echo"))
        .send()
        .await
        .unwrap();
    assert_eq!(code(asked).await, (200, String::new()));
    let deaf_alone = in_front_of(&[deaf]).await;
    let asked = Client::new()
        .get(deaf_alone.url("/api/chat/echo"))
        .send()
        .await
        .unwrap();
    assert_eq!(code(asked).await, (503, "UNAVAILABLE".to_owned()));
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn a_service_that_never_answers_is_left_alone_and_others_are_not() {
    let world = in_front_of(&[nobody()]).await;
    let http = Client::new();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let refused = http.post(world.url("/api/chat/echo")).send().await.unwrap();
        let wait = refused.headers()["retry-after"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(code(refused).await, (503, "UNAVAILABLE".to_owned()));
        waits.push(wait);
    }
    assert_eq!(waits[..10], ["1"; 10]);
    assert_eq!(waits[10..], ["10"; 2]);
    let users = http
        .get(world.url("/api/users/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(users.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_breaks_off_costs_its_instance_nothing() {
    let elsewhere = World::start().await;
    let alive = listen(&elsewhere.platform, echo_routes("/api/chat")).await;
    let world = in_front_of(&[alive]).await;
    let http = Client::new();
    for _ in 0..15 {
        let pieces = stream::iter([Ok("text"), Err(std::io::Error::other("changed my mind"))]);
        let body = reqwest::Body::wrap_stream(pieces);
        let sent = http
            .post(world.url("/api/chat/echo"))
            .body(body)
            .send()
            .await;
        assert!(sent.is_err() || !sent.unwrap().status().is_success());
    }
    let asked = http.get(world.url("/api/chat/echo")).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::OK);
}

#[tokio::test]
async fn clients_that_send_no_body_cost_its_instance_nothing() {
    let elsewhere = World::start().await;
    let alive = listen(&elsewhere.platform, echo_routes("/api/chat")).await;
    let world = in_front_of(&[alive]).await;
    let silent = (0..15).map(async |_| {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = b"POST /api/chat/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    });
    join_all(silent).await;
    let asked = Client::new().get(world.url("/api/chat/echo")).send().await;
    assert_eq!(asked.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn operators_see_which_services_answer() {
    let elsewhere = World::start().await;
    let routes = echo_routes("/api/chat").merge(Health::default().routes());
    let alive = listen(&elsewhere.platform, routes).await;
    for (address, state) in [(alive, "UP"), (nobody(), "DOWN")] {
        let world = in_front_of(&[address]).await;
        let ready = Client::new().get(world.url("/health/ready")).send().await;
        let ready = ready.unwrap();
        assert_eq!(ready.status(), StatusCode::OK);
        let ready: Value = serde_json::from_str(&ready.text().await.unwrap()).unwrap();
        assert_eq!(ready["dependencies"]["chat"]["state"], state, "{ready}");
        assert_eq!(
            ready["dependencies"].get("auth"),
            None,
            "it is in this process"
        );
    }
}

/// Answers with a first piece of what it got, before the rest has been sent, and with a second one
/// when it is told to.
fn streaming(told: mpsc::Sender<()>) -> Router {
    let upload = post(async move |request: Request| {
        let mut pieces = request.into_body().into_data_stream();
        let mut length = 0;
        while let Some(piece) = pieces.next().await {
            length += piece.unwrap().len();
            told.try_send(()).ok();
        }
        Success::ok(length)
    });
    let (first, rest) = (stream::iter(["first "]), stream::pending::<&str>());
    let pieces = first.chain(rest).map(Ok::<_, std::io::Error>);
    let pieces = std::sync::Mutex::new(Some(Body::from_stream(pieces)));
    let pieces = Arc::new(pieces);
    let download = get(async move || {
        let taken = pieces.lock().unwrap().take();
        taken.unwrap()
    });
    Router::new()
        .route("/api/chat/upload", upload)
        .route("/api/chat/download", download)
}

#[tokio::test]
async fn bodies_go_through_piece_by_piece_both_ways() {
    const PIECE: usize = 1024 * 1024;
    let elsewhere = World::start().await;
    for is_remote in [true, false] {
        let (told, mut heard) = mpsc::channel(1);
        let routes = streaming(told);
        let chat = if is_remote {
            let address = listen(&elsewhere.platform, routes).await;
            Upstream::Http(vec![format!("http://{address}").parse().unwrap()])
        } else {
            Upstream::InProcess(routes)
        };
        let world = World::with(Setup {
            chat: Some(chat),
            ..Setup::default()
        })
        .await;
        let (go_on, gate) = oneshot::channel::<()>();
        let first = stream::iter([Ok::<_, std::io::Error>(vec![b'x'; PIECE])]);
        let rest = stream::once(async {
            gate.await.unwrap();
            Ok(vec![b'x'; 99 * PIECE])
        });
        let body = reqwest::Body::wrap_stream(first.chain(rest));
        let sending = Client::new()
            .post(world.url("/api/chat/upload"))
            .body(body)
            .send();
        let watching = async {
            // The service has something before the client has sent it all.
            heard.recv().await.unwrap();
            go_on.send(()).unwrap();
        };
        let (sent, ()) = tokio::join!(sending, watching);
        let answer: Value = serde_json::from_str(&sent.unwrap().text().await.unwrap()).unwrap();
        assert_eq!(answer["data"], 100 * PIECE);

        let download = Client::new().get(world.url("/api/chat/download")).send();
        let mut download = download.await.unwrap().bytes_stream();
        let first = tokio::time::timeout(Duration::from_secs(10), download.next());
        assert_eq!(first.await.unwrap().unwrap().unwrap(), "first ");
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_says_where_a_request_came_from() {
    let seen = async |trusted_proxies| {
        let world = World::with(Setup {
            trusted_proxies,
            ..Setup::default()
        })
        .await;
        let request = Client::new()
            .get(world.url("/api/chat/echo"))
            .header("x-forwarded-for", "203.0.113.1, 198.51.100.1, 10.1.2.3")
            .header("forwarded", "for=203.0.113.9")
            .header("x-real-ip", "203.0.113.9");
        let answer = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let headers = answer["data"]["headers"].clone();
        assert_eq!(
            (headers.get("forwarded"), headers.get("x-real-ip")),
            (None, None)
        );
        headers["x-forwarded-for"].as_str().unwrap().to_owned()
    };
    assert_eq!(seen("").await, "127.0.0.1");
    assert_eq!(seen("10.0.0.0/8").await, "127.0.0.1");
    assert_eq!(seen("127.0.0.1,10.0.0.0/8").await, "198.51.100.1");
}
