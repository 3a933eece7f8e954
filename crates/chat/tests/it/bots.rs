//! Bots: registered by administrators, called about what is said, answering once, harming nobody.

use axum::http::Method;
use doran_contract::{
    RoomId, UserId,
    bot::ECHO,
    subject::{self, BOT_CALL_STREAM},
};
use doran_platform::secret::HashingKey;
use doran_testkit::Reply;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    webhook::Webhooks,
    world::{Person, World, until},
};

const BOTS: &str = "/api/chat/bots";

/// A bot as its registration answered with it.
struct Bot {
    id: UserId,
    secret: String,
    token: String,
}

async fn register(world: &World, admin: &Person, url: Option<String>) -> Bot {
    let body = json!({ "name": "날씨", "webhookUrl": url });
    let reply = world.post(admin, BOTS, &body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let text = |field: &str| reply.data()[field].as_str().unwrap().to_owned();
    Bot {
        id: text("id").parse().unwrap(),
        secret: text("secret"),
        token: text("token"),
    }
}

async fn room_with(world: &World, owner: &Person, bot: UserId) -> RoomId {
    let body = json!({ "kind": "bot", "botId": bot });
    let reply = world.post(owner, "/api/chat/rooms", &body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.data()["botId"], json!(bot));
    reply.data()["id"].as_str().unwrap().parse().unwrap()
}

/// Who said what in a room, oldest first.
async fn said(world: &World, person: &Person, room: RoomId) -> Vec<(String, Value)> {
    let path = format!("/api/chat/rooms/{room}/messages");
    let reply = world.get(person, &path).send().await;
    let items = reply.data()["items"].as_array().unwrap().clone();
    let said = items.into_iter().map(|message| {
        let sender = message["senderType"].as_str().unwrap().to_owned();
        (sender, message["content"].clone())
    });
    said.collect()
}

async fn until_answered(world: &World, person: &Person, room: RoomId, answer: &str) {
    let expected = ("bot".to_owned(), json!(answer));
    until(async || said(world, person, room).await.last() == Some(&expected)).await;
}

fn speak(world: &World, token: &str, room: RoomId, body: &Value) -> doran_testkit::Call {
    let path = format!("/api/chat/rooms/{room}/messages");
    world.api.post(&path, body).bearer(token)
}

async fn ready(world: &World) {
    let js = &world.platform.js;
    until(async || {
        let report = doran_projection::policy::report(js, &doran_chat::CALL_BOTS);
        report.await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_bot_answers_with_what_was_said_and_once() {
    let world = World::start().await;
    ready(&world).await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let body = json!({ "kind": "bot", "botId": ECHO, "memberIds": [lee.id] });
    let made = world.post(&kim, "/api/chat/rooms", &body).send().await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.data()["name"], "Echo");
    let room: RoomId = made.data()["id"].as_str().unwrap().parse().unwrap();
    world.say(&kim, room, "안녕").await;
    until_answered(&world, &kim, room, "안녕").await;
    world.say(&lee, room, "네").await;
    until_answered(&world, &kim, room, "네").await;
    let senders: Vec<_> = said(&world, &kim, room).await;
    let senders: Vec<_> = senders.iter().map(|(sender, _)| sender.as_str()).collect();
    assert_eq!(senders, ["user", "bot", "user", "bot"]);

    let path = format!("/api/chat/rooms/{room}");
    let seen = world.get(&kim, &path).send().await;
    assert_eq!(seen.data()["botId"], json!(ECHO));
    assert_eq!(seen.data()["kind"], "bot");
    assert_eq!(seen.data()["memberCount"], 2);
    // What a bot says is sealed with the key of whom it speaks to, and goes with them.
    let raw = world.raw("MESSAGE").await;
    assert!(raw.iter().all(|event| !event.contains("안녕")));
    let by_bot: Vec<_> = raw
        .iter()
        .filter(|event| event.contains("\"bot\""))
        .collect();
    assert!(by_bot[0].contains(&format!("\"key\":\"{}\"", kim.id)));
    assert!(by_bot[1].contains(&format!("\"key\":\"{}\"", lee.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_what_was_said_and_can_check_who_says_so() {
    let world = World::start().await;
    ready(&world).await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    let webhooks = Webhooks::start(&world.platform.lifecycle).await;
    let bot = register(&world, &admin, Some(webhooks.url("repeat"))).await;
    let room = room_with(&world, &kim, bot.id).await;
    let message = world.say(&kim, room, "날씨 어때?").await;
    until_answered(&world, &kim, room, "날씨 어때?").await;

    let received = webhooks.received("repeat");
    assert_eq!(received.len(), 1);
    let told = received[0].json();
    assert_eq!(told["message"]["id"], message.data()["id"]);
    assert_eq!(told["message"]["content"], "날씨 어때?");
    assert_eq!(told["sender"], json!({ "id": kim.id, "name": "kim" }));
    assert_eq!(told["room"]["id"], json!(room));
    assert_eq!(told["botId"], json!(bot.id));
    assert_eq!(told["deliveryId"], received[0].header("doran-delivery"));
    let signature = received[0].header("doran-signature");
    let (time, v1) = signature.split_once(',').unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let signed = [format!("{time}.").as_bytes(), &received[0].body].concat();
    let expected = HashingKey::new(bot.secret.as_bytes()).hex(&signed);
    assert_eq!(v1, format!("v1={expected}"));
    let raw = world.raw("BOT").await;
    assert!(raw.iter().all(|event| !event.contains(&webhooks.url(""))));
    assert!(raw.iter().all(|event| !event.contains(&bot.secret)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_that_lie_hang_or_fail_hold_up_nobody_and_post_nothing() {
    let world = World::start().await;
    ready(&world).await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    let webhooks = Webhooks::start(&world.platform.lifecycle).await;
    let bad = [
        "hang", "page", "garbage", "huge", "long", "bytes", "redirect", "silent", "nowhere",
    ];
    let mut rooms = Vec::new();
    for path in bad {
        let bot = register(&world, &admin, Some(webhooks.url(path))).await;
        let room = room_with(&world, &kim, bot.id).await;
        world.say(&kim, room, "하나").await;
        rooms.push(room);
    }
    for path in bad {
        until(async || !webhooks.received(path).is_empty()).await;
    }
    // While the one that hangs is still being waited for.
    let quick = register(&world, &admin, Some(webhooks.url("quick"))).await;
    let room = room_with(&world, &kim, quick.id).await;
    world.say(&kim, room, "둘").await;
    until_answered(&world, &kim, room, "둘").await;
    for room in rooms {
        assert_eq!(said(&world, &kim, room).await.len(), 1);
    }
    assert!(webhooks.received("target").is_empty());
    for path in bad {
        assert_eq!(webhooks.received(path).len(), 1, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_failed_is_made_again_and_one_that_is_made_twice_is_answered_once() {
    let world = World::start().await;
    ready(&world).await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    let webhooks = Webhooks::start(&world.platform.lifecycle).await;
    let bot = register(&world, &admin, Some(webhooks.url("fail-once"))).await;
    let room = room_with(&world, &kim, bot.id).await;
    world.say(&kim, room, "하나").await;
    until_answered(&world, &kim, room, "하나").await;
    let received = webhooks.received("fail-once");
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("doran-delivery"),
        received[1].header("doran-delivery")
    );

    // As if the process had been killed after it had posted and before it had said so.
    let js = world.nats.jetstream().await;
    let calls = js.get_stream(BOT_CALL_STREAM).await.unwrap();
    let call = calls.get_raw_message(1).await.unwrap();
    let again = js.publish(call.subject.clone(), call.payload.clone()).await;
    again.unwrap().await.unwrap();
    world.say(&kim, room, "둘").await;
    until_answered(&world, &kim, room, "둘").await;
    let all: Vec<_> = said(&world, &kim, room).await;
    let all: Vec<_> = all.iter().map(|(_, content)| content.clone()).collect();
    assert_eq!(all, ["하나", "하나", "둘", "둘"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_pieces_is_told_as_it_comes_and_posted_as_a_whole() {
    let world = World::start().await;
    ready(&world).await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    let webhooks = Webhooks::start(&world.platform.lifecycle).await;
    let bot = register(&world, &admin, Some(webhooks.url("stream"))).await;
    let room = room_with(&world, &kim, bot.id).await;
    let nats = world.nats.jetstream().await.client();
    let mut deltas = nats.subscribe(subject::bot_delta(room)).await.unwrap();
    nats.flush().await.unwrap();
    world.say(&kim, room, "?").await;
    until_answered(&world, &kim, room, "안녕!").await;
    let mut text = String::new();
    for n in 0.. {
        let delta: Value = serde_json::from_slice(&deltas.next().await.unwrap().payload).unwrap();
        assert_eq!(delta["n"], n);
        text += delta["text"].as_str().unwrap();
        if text == "안녕!" {
            let path = format!("/api/chat/rooms/{room}/messages");
            let history = world.get(&kim, &path).send().await;
            assert_eq!(history.data()["items"][1]["id"], delta["messageId"]);
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_speaks_by_its_token_in_its_rooms_and_nowhere_else() {
    let world = World::start().await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    let bot = register(&world, &admin, None).await;
    let (its, other) = (
        room_with(&world, &kim, bot.id).await,
        room_with(&world, &kim, ECHO).await,
    );
    let body = json!({ "content": "비가 와요", "clientMessageId": "rain-1" });
    let first = speak(&world, &bot.token, its, &body).send().await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.data()["senderType"], "bot");
    assert_eq!(first.data()["senderId"], json!(bot.id));
    let again = speak(&world, &bot.token, its, &body).send().await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.data()["id"], first.data()["id"]);

    let refused = speak(&world, &bot.token, other, &body).send().await;
    assert_eq!(refused.refusal(), (403, "NOT_MEMBER"));
    let path = format!("/api/chat/rooms/{its}/messages");
    let read = world.api.get(&path).bearer(&bot.token).send().await;
    assert_eq!(read.status, 401);
    let forged = format!("bot_{}_{}", ECHO.as_uuid().simple(), "0".repeat(64));
    let forged = speak(&world, &forged, other, &body).send().await;
    assert_eq!(forged.status, 401);

    let one = format!("{BOTS}/{}", bot.id);
    let rotated = patch(&world, &admin, &one, &json!({ "rotateToken": true })).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_eq!(rotated.data().get("secret"), None);
    let old = speak(&world, &bot.token, its, &body).send().await;
    assert_eq!(old.status, 401);
    let token = rotated.data()["token"].as_str().unwrap();
    assert_eq!(speak(&world, token, its, &body).send().await.status, 200);

    let removed = world.call(Method::DELETE, &admin, &one).send().await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    assert_eq!(speak(&world, token, its, &body).send().await.status, 401);
    let body = json!({ "kind": "bot", "botId": bot.id });
    let late = world.post(&kim, "/api/chat/rooms", &body).send().await;
    assert_eq!(late.refusal(), (422, "VALIDATION_FAILED"));
}

async fn patch(world: &World, person: &Person, path: &str, body: &Value) -> Reply {
    let call = world.call(Method::PATCH, person, path);
    call.json(body).send().await
}

#[tokio::test]
async fn administrators_keep_the_bots_and_nobody_is_shown_their_keys_again() {
    let world = World::start().await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    let body = json!({ "name": "날씨", "webhookUrl": "https://bot.example/hook?key=1" });
    assert_eq!(world.post(&kim, BOTS, &body).send().await.status, 403);
    let call = world.post(&admin, BOTS, &body);
    let made = call.header("idempotency-key", "one").send().await;
    assert_eq!(made.status, 201, "{}", made.body);
    let call = world.post(&admin, BOTS, &body);
    let again = call.header("idempotency-key", "one").send().await;
    assert_eq!(again.data(), made.data());

    let one = made.header("location").to_owned();
    let seen = world.get(&admin, &one).send().await;
    assert_eq!(seen.data()["webhookUrl"], "https://bot.example/hook?key=1");
    for hidden in ["secret", "token"] {
        assert_eq!(seen.data().get(hidden), None);
    }
    let listed = world.get(&admin, BOTS).send().await;
    assert_eq!(listed.data()["items"][0]["id"], json!(ECHO));
    assert_eq!(&listed.data()["items"][1], seen.data());
    let public = world.get(&kim, &format!("{BOTS}/public")).send().await;
    let expected = json!({ "id": made.data()["id"], "name": "날씨", "picture": null });
    assert_eq!(public.data()["items"][1], expected);

    let change = json!({ "name": "비", "webhookUrl": null, "rotateSecret": true });
    let changed = patch(&world, &admin, &one, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.data()["name"], "비");
    assert_eq!(changed.data()["webhookUrl"], Value::Null);
    assert_ne!(changed.data()["secret"], made.data()["secret"]);
    for path in [one.clone(), format!("{BOTS}/{ECHO}")] {
        let reply = patch(&world, &kim, &path, &change).await;
        assert_eq!(reply.status, 403);
    }
    let built_in = patch(&world, &admin, &format!("{BOTS}/{ECHO}"), &change).await;
    assert_eq!(built_in.refusal(), (409, "CONFLICT"));
    let unknown = patch(&world, &admin, &format!("{BOTS}/{}", kim.id), &change).await;
    assert_eq!(unknown.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn what_is_no_webhook_or_no_bot_is_refused_by_its_field() {
    let world = World::start().await;
    let (admin, kim) = (world.admin("admin").await, world.person("kim").await);
    for url in [
        "nonsense",
        "http://bot.example/",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/",
        "https://10.0.0.1/",
        "ftp://bot.example/",
    ] {
        let body = json!({ "name": "x", "webhookUrl": url });
        let reply = world.post(&admin, BOTS, &body).send().await;
        assert_eq!(reply.status, 422, "{url}");
        assert_eq!(reply.fields(), ["webhookUrl"]);
    }
    for body in [
        json!({ "kind": "bot", "name": "x" }),
        json!({ "kind": "bot", "botId": kim.id }),
        json!({ "kind": "group", "name": "x", "botId": ECHO }),
    ] {
        let reply = world.post(&kim, "/api/chat/rooms", &body).send().await;
        assert_eq!(reply.status, 422, "{body}");
        assert_eq!(reply.fields(), ["botId"]);
    }
}
