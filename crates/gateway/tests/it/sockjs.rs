//! STOMP over SockJS, by HTTP requests alone. The protocol itself is tried by its public suite, on
//! `examples/sockjs_suite.rs`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::{
    sockjs_client::{Lasting, SockJsClient},
    tickets::ticket,
    world::{OWN_ORIGIN, World},
};

#[tokio::test]
async fn a_session_lives_from_request_to_request() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = SockJsClient::connect(&[world.address], "s-1", &a.token).await;
    let topic = format!("/topic/chat/{room}");
    let headers = [("id", "0"), ("destination", &topic), ("receipt", "r")];
    client.say("SUBSCRIBE", &headers, "").await;
    assert_eq!(client.next().await.header("complete"), "true");
    let to = format!("/app/chat/{room}");
    for n in 0..20 {
        let body = json!({ "content": format!("{n} \u{2028}안녕") }).to_string();
        let headers = [("destination", to.as_str())];
        client.say("SEND", &headers, &body).await;
    }
    for n in 0..20 {
        let message = client.next().await;
        assert_eq!(message.json()["content"], format!("{n} \u{2028}안녕"));
    }
    client.say("DISCONNECT", &[("receipt", "bye")], "").await;
    assert_eq!(client.next().await.header("receipt-id"), "bye");
    for _ in 0..2 {
        assert_eq!(client.poll().await, "c[1000,\"goodbye\"]\n");
    }
}

#[tokio::test]
async fn a_session_serves_at_every_gateway() {
    let world = World::start().await;
    let (second, platform) = world.another_gateway().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let both = [world.address, second];
    let mut client = SockJsClient::connect(&both, "s 1", &a.token).await;
    let topic = format!("/topic/chat/{room}");
    client
        .say("SUBSCRIBE", &[("id", "0"), ("destination", &topic)], "")
        .await;
    let to = format!("/app/chat/{room}");
    for n in 0..20 {
        let body = json!({ "content": n.to_string() }).to_string();
        client
            .say("SEND", &[("destination", to.as_str())], &body)
            .await;
        // Now and then, so that requests that read change places with those that send.
        if n % 3 == 0 {
            assert!(client.next().await.json()["content"].is_string());
        }
    }
    for n in 7..20 {
        assert_eq!(client.next().await.json()["content"], n.to_string());
    }
    let url = client.url("xhr_streaming");
    let answer = Client::new().post(url).send().await.unwrap();
    let mut lasting = Lasting::new(answer);
    world.say(room, &a, "streamed").await;
    assert!(lasting.until("streamed").await.starts_with("hhhh"));
    platform.lifecycle.stopping().cancel();
}

#[tokio::test]
async fn a_session_whose_gateway_is_gone_begins_anew_at_another() {
    let world = World::start().await;
    let (first, platform) = world.another_gateway().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = SockJsClient::connect(&[first], "s-1", &a.token).await;
    let topic = format!("/topic/chat/{room}");
    let headers = [("id", "0"), ("destination", &topic), ("receipt", "r")];
    client.say("SUBSCRIBE", &headers, "").await;
    let epoch = client.next().await.header("epoch").to_owned();
    let seq = world.say(room, &a, "seen").await;
    assert_eq!(client.next().await.header("seq"), seq.to_string());
    platform.lifecycle.stop().await;
    world.say(room, &a, "missed").await;

    let mut client = SockJsClient::connect(&[world.address], "s-1", &a.token).await;
    let since = format!("{epoch}:{seq}");
    let headers = [("id", "0"), ("destination", &topic), ("since", &since)];
    client.say("SUBSCRIBE", &headers, "").await;
    assert_eq!(client.next().await.json()["content"], "missed");
}

#[tokio::test]
async fn answers_that_last_bring_frames_as_they_come() {
    let world = World::start().await;
    let http = Client::new();
    let url = |transport: &str| world.url(&format!("/ws/chat/000/{transport}/{transport}"));
    let answer = http.post(url("xhr_streaming")).send().await.unwrap();
    let mut lasting = Lasting::new(answer);
    let text = lasting.until("\no\n").await;
    assert_eq!(text, format!("{}\no\n", "h".repeat(2048)));
    let second = http.post(url("xhr_streaming")).send().await.unwrap();
    let mut second = Lasting::new(second);
    second
        .until("c[2010,\"Another connection still open\"]\n")
        .await;
    second.ended().await;

    let answer = http.get(url("eventsource")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = Lasting::new(answer);
    assert_eq!(events.until("o\r\n\r\n").await, "\r\ndata: o\r\n\r\n");

    // Who goes away while being told loses the session.
    drop(lasting);
    let mut next = String::new();
    while !next.starts_with('o') {
        let path = "/ws/chat/000/xhr_streaming/xhr";
        let answer = http.post(world.url(path)).send().await.unwrap();
        next = answer.text().await.unwrap();
        assert!(
            next.starts_with("c[1002") || next.starts_with("c[2010") || next.starts_with('o'),
            "{next}"
        );
    }
}

#[tokio::test]
async fn the_websocket_of_a_session_speaks_in_arrays() {
    let world = World::start().await;
    let a = world.person("a").await;
    let ticket = ticket(&world, &a.token).await;
    let url = format!(
        "ws://{}/ws/chat/1/2/websocket?ticket={ticket}",
        world.address
    );
    let (mut socket, _) = connect_async(url).await.unwrap();
    let mut next = async |message: &str| {
        if !message.is_empty() {
            socket.send(Message::text(message)).await.unwrap();
        }
        timeout(Duration::from_secs(30), socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
    };
    assert_eq!(next("").await, Message::text("o"));
    let connect = json!(["CONNECT\naccept-version:1.1\n\n\u{0}"]).to_string();
    let Message::Text(connected) = next(&connect).await else {
        panic!("no answer");
    };
    assert!(connected.starts_with("a[\"CONNECTED\\nversion:1.1\\n"));
    let Message::Text(error) = next("[\"CONNECT\\n\\n\\u0000\"]").await else {
        panic!("no answer");
    };
    assert!(error.starts_with("a[\"ERROR"), "{error}");
    let Message::Text(close) = next("").await else {
        panic!("no close");
    };
    assert_eq!(close.as_str(), "c[4500,\"{\\\"afterMs\\\":0}\"]");
    assert!(matches!(next("").await, Message::Close(Some(frame)) if frame.code == 4500.into()));
}

#[tokio::test]
async fn a_browser_is_served_from_the_listed_origins_only() {
    let world = World::start().await;
    let http = Client::new();
    for (method, path) in [
        (Method::GET, "/ws/chat/info"),
        (Method::POST, "/ws/chat/0/a/xhr"),
        (Method::POST, "/ws/chat/0/a/xhr_send"),
        (Method::GET, "/ws/chat/0/a/eventsource"),
        (Method::OPTIONS, "/ws/chat/0/a/xhr"),
    ] {
        let request = http.request(method.clone(), world.url(path));
        let request = request.header("origin", "http://evil.example");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
    let request = http.request(Method::OPTIONS, world.url("/ws/chat/0/a/xhr"));
    let answer = request.header("origin", OWN_ORIGIN).send().await.unwrap();
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], OWN_ORIGIN);
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(headers["access-control-allow-methods"], "OPTIONS, POST");
    let request = http.get(world.url("/ws/chat/info"));
    let info = request.header("origin", OWN_ORIGIN).send().await.unwrap();
    assert_eq!(info.headers()["access-control-allow-origin"], OWN_ORIGIN);
    let info: Value = info.json().await.unwrap();
    assert_eq!(info["websocket"], true);
    assert_eq!(info["cookie_needed"], false);
    assert_eq!(info["origins"], json!(["*:*"]));
    assert!(info["entropy"].is_u64());
}

#[tokio::test]
async fn what_is_not_of_the_protocol_is_not_found() {
    let world = World::start().await;
    let http = Client::new();
    let status = async |method: Method, path: &str, body: &'static str| {
        let request = http.request(method, world.url(path)).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    for path in [
        "/ws/chat/a",
        "/ws/chat/0/a.b/xhr",
        "/ws/chat/a./b/xhr",
        "/ws/chat/0/a/other",
        "/ws/chat/0/a/htmlfile?c=x",
        "/ws/chat/0/a/jsonp?c=x",
        "/ws/chat/0/a/b/xhr",
    ] {
        assert_eq!(status(Method::GET, path, "").await, 404, "{path}");
    }
    assert_eq!(status(Method::GET, "/ws/chat", "").await, 200);
    assert_eq!(status(Method::GET, "/ws/chat/", "").await, 200);
    assert_eq!(status(Method::GET, "/ws/chat/iframe-1.html", "").await, 200);
    assert_eq!(status(Method::GET, "/ws/chat/0/a/websocket", "").await, 400);
    assert_eq!(status(Method::GET, "/ws/chat/0/a/xhr", "").await, 405);
    let send = "/ws/chat/0/unknown/xhr_send";
    assert_eq!(status(Method::POST, send, "[\"x\"]").await, 404);
    let mut client = SockJsClient::open(&[world.address], "known").await;
    let texts = ["", "[\"x", "{}"].map(str::to_owned);
    for text in texts {
        assert_eq!(client.post("xhr_send", text).await.status(), 500);
    }
    let large = json!(["x".repeat(200_000)]).to_string();
    assert_eq!(client.post("xhr_send", large).await.status(), 413);
    let large = json!(["x".repeat(70_000)]).to_string();
    client.post("xhr_send", large).await;
    assert!(client.poll().await.contains("TOO_LARGE"));
}

#[tokio::test]
async fn old_safeguards_hold_for_sessions_too() {
    let world = World::start().await;
    let a = world.person("a").await;
    let b = world.person("b").await;
    let mut suspended = SockJsClient::connect(&[world.address], "1", &a.token).await;
    let mut stays = SockJsClient::connect(&[world.address], "2", &b.token).await;
    let mut unknown = SockJsClient::open(&[world.address], "3").await;
    let mut lasting = Vec::new();
    for client in [&mut stays, &mut unknown] {
        let answer = client.post("xhr_streaming", String::new()).await;
        lasting.push(Lasting::new(answer));
    }
    world.suspend(&a).await;
    assert_eq!(suspended.next().await.command, "ERROR");
    assert!(suspended.poll().await.starts_with("c[4503,"));
    world.platform.lifecycle.stopping().cancel();
    for client in &mut lasting {
        assert!(client.until("c[4001,").await.contains("ERROR"));
        client.ended().await;
    }
}

#[tokio::test]
async fn a_session_that_nobody_reads_is_given_up() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = SockJsClient::connect(&[world.address], "s", &a.token).await;
    let topic = format!("/topic/chat/{room}");
    client
        .say("SUBSCRIBE", &[("id", "0"), ("destination", &topic)], "")
        .await;
    let began = Instant::now();
    loop {
        let body = json!(["\n"]).to_string();
        if client.post("xhr_send", body).await.status() == StatusCode::NOT_FOUND {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::task::yield_now().await;
    }
    assert!(began.elapsed() > Duration::from_secs(4));
}
