//! Spans, as an OpenTelemetry collector gets them.

use std::time::Duration;

use axum::{Router, body::Bytes, extract::State, routing::post};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet, time::timeout};

use crate::system::System;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// More than the time between two batches.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes whatever is sent to it.
struct Collector {
    endpoint: String,
    received: mpsc::Receiver<Bytes>,
    _serving: JoinSet<()>,
}

async fn collector() -> Collector {
    let (sender, received) = mpsc::channel(64);
    let take = async |State(sender): State<mpsc::Sender<Bytes>>, body: Bytes| {
        // The test may have seen enough.
        sender.send(body).await.ok();
    };
    let routes = Router::new()
        .route("/v1/traces", post(take))
        .with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    Collector {
        endpoint: format!("http://{address}"),
        received,
        _serving: serving,
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

async fn until_sent(received: &mut mpsc::Receiver<Bytes>, part: &[u8]) -> Bytes {
    let found = async {
        loop {
            let body = received.recv().await.unwrap();
            if contains(&body, part) {
                return body;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("no such span came")
}

#[tokio::test]
async fn what_a_request_does_is_a_span_of_the_trace_that_the_client_began() {
    let mut collector = collector().await;
    let system = System::with_flags(&["--dev", "--collector", &collector.endpoint]).await;
    let url = format!("{}/api/chat/rooms", system.gateway.base());
    let request = reqwest::Client::new().get(url);
    let request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    assert_eq!(request.send().await.unwrap().status(), 401);

    let trace = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    let body = until_sent(&mut collector.received, &trace).await;
    for part in ["http", "dorandoran", "/api/chat/rooms", "request_id"] {
        assert!(contains(&body, part.as_bytes()), "{part}");
    }
    // And its parent is the client's span.
    let parent = u64::from_str_radix("00f067aa0ba902b7", 16).unwrap();
    assert!(contains(&body, &parent.to_be_bytes()));
}

#[tokio::test]
async fn a_collector_that_is_away_disturbs_nobody_and_the_end_is_bounded() {
    let system = System::with_flags(&["--dev", "--collector", "http://127.0.0.1:1"]).await;
    let url = format!("{}/health/ready", system.gateway.base());
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    let gateway = system.gateway;
    let ending = tokio::task::spawn_blocking(|| gateway.terminate());
    assert_eq!(ending.await.unwrap(), Some(0));
}
