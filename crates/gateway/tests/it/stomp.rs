//! STOMP over a raw WebSocket: the same rooms, people and rules in other frames.

use std::time::Duration;

use doran_contract::RoomId;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    stomp_client::StompClient,
    tickets::ticket,
    world::{PASSWORD, Person, World},
};

type Headers<'a> = &'a [(&'a str, &'a str)];

fn topic(room: RoomId) -> String {
    format!("/topic/chat/{room}")
}

async fn connect(world: &World, person: &Person) -> StompClient {
    StompClient::connect(world.address, &person.token).await
}

async fn subscribed(world: &World, person: &Person, room: RoomId) -> StompClient {
    let mut client = connect(world, person).await;
    client.subscribe("s", &topic(room)).await;
    client
}

fn body(id: &str, content: &str) -> String {
    json!({ "content": content, "clientMessageId": id }).to_string()
}

#[tokio::test]
async fn a_message_goes_to_every_dialect_and_its_receipt_comes_after_the_log_has_it() {
    let world = World::start().await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&a, &b]).await;
    let mut native = world.subscribe(&b, room).await;
    let mut reader = subscribed(&world, &b, room).await;
    let mut sender = connect(&world, &a).await;
    let to = format!("/app/chat/{room}");
    let headers = [("destination", to.as_str()), ("receipt", "r:1")];
    let receipt = sender.ask("SEND", &headers, &body("m-1", "안녕")).await;
    assert_eq!(receipt.command, "RECEIPT");
    assert_eq!(receipt.header("receipt-id"), "r\\c1");

    let told = native.next_of("message").await;
    let message = reader.next().await;
    assert_eq!(message.command, "MESSAGE");
    assert_eq!(message.header("destination"), topic(room));
    assert_eq!(message.header("subscription"), "s");
    assert_eq!(message.header("type"), "message");
    assert_eq!(message.header("content-type"), "application/json");
    assert_eq!(
        message.header("content-length"),
        message.body.len().to_string()
    );
    assert_eq!(message.header("seq"), told["seq"].to_string());
    assert_eq!(message.header("prev"), told["prev"].to_string());
    assert!(!message.header("message-id").is_empty());
    assert!(!message.header("epoch").is_empty());
    assert_eq!(message.json(), told["message"]);
    assert_eq!(message.json()["content"], "안녕");
}

#[tokio::test]
async fn every_way_to_name_a_room_serves() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = connect(&world, &a).await;
    let sources = [
        format!("/topic/chat/{room}"),
        format!("/topic/chat.{room}"),
        format!("/sub/chat/room/{room}"),
    ];
    for source in &sources {
        client.subscribe(source, source).await;
    }
    for target in ["/app/chat.sendMessage", "/pub/chat/message"] {
        let body = json!({ "roomId": room, "content": target }).to_string();
        client.send("SEND", &[("destination", target)], &body).await;
        let mut came = Vec::new();
        for _ in &sources {
            let message = client.next().await;
            assert_eq!(message.json()["content"], target);
            came.push(message.header("destination").to_owned());
        }
        came.sort();
        let mut expected = sources.to_vec();
        expected.sort();
        assert_eq!(came, expected);
    }
    client
        .send("UNSUBSCRIBE", &[("id", sources[0].as_str())], "")
        .await;
    client
        .send("UNSUBSCRIBE", &[("id", sources[1].as_str())], "")
        .await;
    client.nothing_came().await;
    world.say(room, &a, "one").await;
    assert_eq!(client.contents(1).await, ["one"]);
    client.nothing_came().await;
}

#[tokio::test]
async fn what_one_socket_sends_without_waiting_stays_in_order() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = subscribed(&world, &a, room).await;
    let to = format!("/app/chat/{room}");
    for n in 0..500 {
        let body = body(&format!("m-{n}"), &n.to_string());
        client
            .send("SEND", &[("destination", to.as_str())], &body)
            .await;
    }
    let expected: Vec<_> = (0..500).map(|n| n.to_string()).collect();
    assert_eq!(client.contents(500).await, expected);
}

#[tokio::test]
async fn frames_may_be_joined_and_cut_in_any_way() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = StompClient::open(world.address, "/ws/chat", "").await;
    let text = format!(
        "\n\nCONNECT\r\naccept-version:1.1\r\nAuthorization:Bearer {}\r\n\r\n\0\n\
         SUBSCRIBE\nid:0\ndestination:/topic/chat/{room}\nreceipt:r\n\n\0\
         SEND\ndestination:/app/chat/{room}\ncontent-length:20\n\n{{\"content\":\"x\\u0000y\"}}\0",
        a.token
    );
    let text = text.replace("content-length:20", "content-length:22");
    for piece in text.as_bytes().chunks(100) {
        client.binary(piece).await;
    }
    assert_eq!(client.next().await.command, "CONNECTED");
    assert_eq!(client.next().await.command, "RECEIPT");
    assert_eq!(client.next().await.json()["content"], "x\0y");
}

#[tokio::test]
async fn who_comes_back_is_given_what_was_missed_or_told_that_it_cannot_be() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let first = world.say(room, &a, "first").await;
    let mut client = connect(&world, &a).await;
    let receipt = client.subscribe("s", &topic(room)).await;
    let epoch = receipt.header("epoch").to_owned();
    assert_eq!(receipt.header("head"), first.to_string());
    for text in ["second", "third"] {
        world.say(room, &a, text).await;
    }
    assert_eq!(client.contents(2).await, ["second", "third"]);

    let since = format!("{epoch}:{first}");
    let destination = topic(room);
    let resume = |since: &str, receipt: bool| {
        let mut headers = vec![
            ("id".to_owned(), "s".to_owned()),
            ("destination".to_owned(), destination.clone()),
            ("since".to_owned(), since.to_owned()),
        ];
        headers.extend(receipt.then(|| ("receipt".to_owned(), "r".to_owned())));
        headers
    };
    let ask = async |headers: Vec<(String, String)>| {
        let mut client = connect(&world, &a).await;
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        client.send("SUBSCRIBE", &headers, "").await;
        client
    };
    let mut client = ask(resume(&since, true)).await;
    assert_eq!(client.next().await.header("complete"), "true");
    assert_eq!(client.contents(2).await, ["second", "third"]);
    world.say(room, &a, "fourth").await;
    assert_eq!(client.contents(1).await, ["fourth"]);

    let mut client = ask(resume("another:1", true)).await;
    let receipt = client.next().await;
    assert_eq!(receipt.header("complete"), "false");
    assert_eq!(receipt.header("reason"), "epoch");
    world.say(room, &a, "fifth").await;
    assert_eq!(client.contents(1).await, ["fifth"]);

    let mut client = ask(resume("another:1", false)).await;
    let (error, code) = client.refused().await;
    assert_eq!((error.header("code"), code), ("CONFLICT", 4005));
    let mut client = connect(&world, &a).await;
    let headers = [
        ("id", "s"),
        ("destination", destination.as_str()),
        ("since", "nonsense"),
        ("receipt", "r"),
    ];
    client.send_unchecked("SUBSCRIBE", &headers, "").await;
    let (error, code) = client.refused().await;
    assert_eq!((error.header("code"), code), ("BAD_REQUEST", 4500));
    assert_eq!(error.header("receipt-id"), "r");
}

#[tokio::test]
async fn what_is_not_allowed_ends_in_error_and_close() {
    let world = World::start().await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&a]).await;
    let (theirs, to) = (topic(room), format!("/app/chat/{room}"));
    let unknown = format!("/topic/chat/{}", world.platform.clock.new_id());
    let cases: [(&str, Headers<'_>, &str); 12] = [
        (
            "SUBSCRIBE",
            &[("id", "1"), ("destination", &theirs)],
            "NOT_MEMBER",
        ),
        (
            "SUBSCRIBE",
            &[("id", "1"), ("destination", &unknown)],
            "NOT_FOUND",
        ),
        (
            "SUBSCRIBE",
            &[("id", "1"), ("destination", "/topic/chat/*")],
            "FORBIDDEN",
        ),
        ("SUBSCRIBE", &[("destination", &theirs)], "BAD_REQUEST"),
        ("SUBSCRIBE", &[("id", "1")], "BAD_REQUEST"),
        ("SEND", &[("destination", &theirs)], "FORBIDDEN"),
        ("SEND", &[("destination", "/elsewhere")], "NOT_FOUND"),
        (
            "SEND",
            &[("destination", &to), ("transaction", "t")],
            "BAD_REQUEST",
        ),
        ("SEND", &[("destination", &to)], "BAD_REQUEST"),
        ("COMMIT", &[("transaction", "t")], "BAD_REQUEST"),
        ("CONNECT", &[("accept-version", "1.2")], "BAD_REQUEST"),
        ("DANCE", &[], "BAD_REQUEST"),
    ];
    for (command, headers, expected) in cases {
        let mut client = connect(&world, &b).await;
        client.send_unchecked(command, headers, "not json").await;
        let (error, code) = client.refused().await;
        assert_eq!(error.header("code"), expected, "{command} {headers:?}");
        assert_eq!(error.json()["code"], expected);
        assert_eq!(code, 4500, "{command} {headers:?}");
    }
    assert_eq!(world.chat.received.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_refused_send_ends_the_connection_unless_somebody_listens_for_errors() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let to = format!("/app/chat/{room}");
    let headers = [("destination", to.as_str()), ("receipt", "r")];
    let mut client = connect(&world, &a).await;
    client
        .send("SEND", &headers, &body("m-1", "forbidden"))
        .await;
    client.send("SEND", &headers, &body("m-2", "never")).await;
    let (error, code) = client.refused().await;
    assert_eq!(error.header("code"), "ROOM_INACTIVE");
    assert_eq!(error.header("receipt-id"), "r");
    assert_eq!(code, 4500);
    assert_eq!(*world.chat.received.lock().unwrap(), ["forbidden"]);

    let mut client = connect(&world, &a).await;
    client.subscribe("e", "/user/queue/errors").await;
    client.subscribe("q", "/user/queue/replies").await;
    let error = client
        .ask("SEND", &headers, &body("m-3", "forbidden"))
        .await;
    assert_eq!(error.command, "MESSAGE");
    assert_eq!(error.header("subscription"), "e");
    assert_eq!(error.json()["code"], "ROOM_INACTIVE");
    let long = "가".repeat(10_001);
    let long = body("m-4", &long);
    client.send_unchecked("SEND", &headers, &long).await;
    assert_eq!(client.next().await.json()["code"], "TOO_LARGE");
    let receipt = client.ask("SEND", &headers, &body("m-5", "fine")).await;
    assert_eq!(receipt.command, "RECEIPT");
    let reply = client.next().await;
    assert_eq!(reply.header("subscription"), "q");
    assert_eq!(reply.json()["type"], "ack");
    assert_eq!(reply.json()["durability"], "fsync");
}

#[tokio::test]
async fn a_transaction_sends_on_commit_and_nothing_on_abort() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = subscribed(&world, &a, room).await;
    let to = format!("/app/chat/{room}");
    let send = |tx| [("destination", to.as_str()), ("transaction", tx)];
    for tx in ["t", "u"] {
        client.send("BEGIN", &[("transaction", tx)], "").await;
    }
    client.send("SEND", &send("t"), &body("1", "one")).await;
    client.send("SEND", &send("u"), &body("x", "never")).await;
    client.send("SEND", &send("t"), &body("2", "two")).await;
    client.nothing_came().await;
    client.send("ABORT", &[("transaction", "u")], "").await;
    let headers = [("transaction", "t"), ("receipt", "done")];
    client.send("COMMIT", &headers, "").await;
    assert_eq!(client.contents(2).await, ["one", "two"]);
    assert_eq!(*world.chat.received.lock().unwrap(), ["one", "two"]);
}

#[tokio::test]
async fn disconnect_is_confirmed_after_everything_before_it() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut reader = subscribed(&world, &a, room).await;
    let mut client = connect(&world, &a).await;
    let to = format!("/app/chat/{room}");
    for n in 0..10 {
        let body = body(&n.to_string(), &n.to_string());
        client
            .send("SEND", &[("destination", to.as_str())], &body)
            .await;
    }
    client.send("DISCONNECT", &[("receipt", "bye")], "").await;
    let receipt = client.next().await;
    assert_eq!(receipt.header("receipt-id"), "bye");
    assert_eq!(world.chat.received.lock().unwrap().len(), 10);
    assert_eq!(client.closed().await, 1000);
    assert_eq!(reader.contents(10).await.len(), 10);
}

#[tokio::test]
async fn everything_that_happens_in_a_room_is_told_with_its_type() {
    let world = World::start().await;
    let a = world.person("a").await;
    let room = world.room(&[&a]).await;
    let mut client = subscribed(&world, &a, room).await;
    world.say_as(room, &a, "m", "x").await;
    let said = client.next().await;
    let id = said.json()["id"].as_str().unwrap().parse().unwrap();
    world.edit(room, &a, id, "y").await;
    let edited = client.next().await;
    assert_eq!(edited.header("type"), "messageEdited");
    assert_eq!(edited.header("prev"), said.header("seq"));
    assert_eq!(edited.json()["content"], "y");
    assert_eq!(edited.json()["messageId"], said.json()["id"]);
}

#[tokio::test]
async fn the_newest_version_and_subprotocol_that_both_know_are_spoken() {
    let world = World::start().await;
    let a = world.person("a").await;
    let bearer = format!("Bearer {}", a.token);
    for (accepted, offered, version, subprotocol) in [
        (
            "1.0,1.1,1.2",
            "v10.stomp, v11.stomp, v12.stomp",
            "1.2",
            "v12.stomp",
        ),
        ("1.1,1.0", "v11.stomp", "1.1", "v11.stomp"),
        ("1.0", "v10.stomp", "1.0", "v10.stomp"),
    ] {
        let mut client = StompClient::open(world.address, "/ws/chat", offered).await;
        assert_eq!(client.subprotocol.as_deref(), Some(subprotocol));
        let headers = [("accept-version", accepted), ("Authorization", &bearer)];
        let connected = client.ask("STOMP", &headers, "").await;
        assert_eq!(connected.header("version"), version);
        assert_eq!(connected.header("heart-beat"), "0,0");
    }
    let mut client = StompClient::open(world.address, "/ws/chat/websocket", "").await;
    assert_eq!(client.subprotocol, None);
    let headers = [("accept-version", "2.0"), ("Authorization", &bearer)];
    client.send("CONNECT", &headers, "").await;
    let (error, code) = client.refused().await;
    assert_eq!((error.header("code"), code), ("UNSUPPORTED", 4500));
}

#[tokio::test]
async fn nothing_is_answered_before_somebody_has_logged_in() {
    let world = World::start().await;
    let a = world.person("a").await;
    let expired = world.token(a.id, a.session, 0);
    world.clock.advance(Duration::from_mins(1));
    let expired = format!("Bearer {expired}");
    let cases: [(&str, Headers<'_>, &str, u16); 5] = [
        ("SUBSCRIBE", &[("id", "1")], "UNAUTHENTICATED", 4501),
        ("CONNECT", &[], "UNAUTHENTICATED", 4501),
        (
            "CONNECT",
            &[("Authorization", "Bearer x.y.z")],
            "UNAUTHENTICATED",
            4501,
        ),
        (
            "CONNECT",
            &[("Authorization", &expired)],
            "TOKEN_EXPIRED",
            4003,
        ),
        (
            "CONNECT",
            &[("login", "a@example.com"), ("passcode", "wrong")],
            "UNAUTHENTICATED",
            4501,
        ),
    ];
    for (command, headers, expected, closed) in cases {
        let mut client = StompClient::open(world.address, "/ws/chat", "v12.stomp").await;
        client.send_unchecked(command, headers, "").await;
        let (error, code) = client.refused().await;
        assert_eq!(error.header("code"), expected, "{headers:?}");
        assert_eq!(code, closed, "{headers:?}");
    }
}

#[tokio::test]
async fn a_password_and_a_ticket_log_in_too() {
    let world = World::start().await;
    let a = world.person("a").await;
    *world.password_token.lock().unwrap() = Some(a.token.clone());
    let mut client = StompClient::open(world.address, "/ws/chat", "v12.stomp").await;
    let headers = [
        ("accept-version", "1.2"),
        ("login", "a@example.com"),
        ("passcode", PASSWORD),
    ];
    let connected = client.ask("CONNECT", &headers, "").await;
    assert_eq!(connected.command, "CONNECTED");
    assert_eq!(connected.header("user-name"), a.id.to_string());

    let headers = [("accept-version", "1.2"), ("passcode", a.token.as_str())];
    let mut client = StompClient::open(world.address, "/ws/chat", "v12.stomp").await;
    assert_eq!(
        client.ask("CONNECT", &headers, "").await.command,
        "CONNECTED"
    );

    let ticket = ticket(&world, &a.token).await;
    let path = format!("/ws/chat/websocket?ticket={ticket}");
    for expected in ["CONNECTED", "ERROR"] {
        let mut client = StompClient::open(world.address, &path, "v12.stomp").await;
        let answer = client
            .ask("CONNECT", &[("accept-version", "1.2")], "")
            .await;
        assert_eq!(answer.command, expected);
    }
}

#[tokio::test]
async fn who_loses_the_right_to_be_there_is_told_and_closed() {
    let world = World::start().await;
    let [a, b, c] = ["a", "b", "c"].map(|name| world.person(name));
    let (a, b, c) = (a.await, b.await, c.await);
    let room = world.room(&[&a, &b, &c]).await;
    let mut suspended = subscribed(&world, &a, room).await;
    let mut logged_out = subscribed(&world, &b, room).await;
    let mut removed = subscribed(&world, &c, room).await;
    world.suspend(&a).await;
    assert_eq!(suspended.refused().await.1, 4503);
    world.revoke(&b).await;
    assert_eq!(logged_out.refused().await.1, 4502);
    removed.subscribe("rooms", "/user/queue/rooms").await;
    world.remove(room, &c, Some(&b)).await;
    let told = removed.next().await;
    assert_eq!(told.header("type"), "member");
    assert_eq!(told.json()["change"], "removed");
    world.say(room, &b, "secret").await;
    removed.nothing_came().await;
    world.clock.advance(Duration::from_secs(301));
    let (error, code) = removed.refused().await;
    assert_eq!((error.header("code"), code), ("TOKEN_EXPIRED", 4003));
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_in_error() {
    let world = World::start().await;
    let a = world.person("a").await;
    for text in [
        "SEND\ncontent-length:70000\n\n".to_owned(),
        format!("SEND\ndestination:{}", "x".repeat(70_000)),
    ] {
        let mut client = connect(&world, &a).await;
        client.raw(&text).await;
        let (error, code) = client.refused().await;
        assert_eq!((error.header("code"), code), ("TOO_LARGE", 4505));
    }
    let mut client = connect(&world, &a).await;
    for _ in 0..3 {
        client.raw(&"x".repeat(30_000)).await;
    }
    assert_eq!(client.refused().await.1, 4505);
}

#[tokio::test]
async fn on_shutdown_sockets_are_told_to_come_back() {
    let world = World::start().await;
    let a = world.person("a").await;
    let mut client = connect(&world, &a).await;
    let mut unknown = StompClient::open(world.address, "/ws/chat", "v12.stomp").await;
    world.platform.lifecycle.stopping().cancel();
    for client in [&mut client, &mut unknown] {
        assert_eq!(client.refused().await.1, 4001);
    }
}

#[tokio::test]
async fn a_session_that_a_password_made_ends_with_its_socket_and_no_other_does() {
    let world = World::start().await;
    let a = world.person("a").await;
    *world.password_token.lock().unwrap() = Some(a.token.clone());
    let with_token = [("accept-version", "1.2"), ("passcode", a.token.as_str())];
    let with_password = [
        ("accept-version", "1.2"),
        ("login", "a@example.com"),
        ("passcode", PASSWORD),
    ];
    for headers in [&with_token[..], &with_password] {
        let mut client = StompClient::open(world.address, "/ws/chat", "v12.stomp").await;
        let connected = client.ask("CONNECT", headers, "").await;
        assert_eq!(connected.command, "CONNECTED");
        client.ask("DISCONNECT", &[("receipt", "bye")], "").await;
        client.closed().await;
    }
    let logged_out = async {
        while world.password_token.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), logged_out).await.unwrap();
}
