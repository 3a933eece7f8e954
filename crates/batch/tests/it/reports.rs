//! `daily-report` and what is read of it.

use doran_contract::{RoomId, UserId, subject};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Process, World};

const ROOM: RoomId = RoomId::new(Uuid::from_u128(0x100));
const BOT: UserId = UserId::new(Uuid::from_u128(0xb0));

fn user(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(n))
}

async fn send(world: &World, message: u128, sender: UserId, sender_type: &str) {
    let body = json!({
        "messageId": Uuid::from_u128(message),
        "roomId": ROOM,
        "senderId": sender,
        "senderType": sender_type,
        "content": { "key": sender, "data": "AA" },
        "contentType": "text",
        "clientMessageId": format!("m{message}"),
        "replyTo": null,
        "mentions": [],
    });
    world
        .event(subject::message(ROOM, "MessageSent"), body)
        .await;
}

/// Two people and a bot on the second of March in Seoul; one more message a day later.
async fn a_day(world: &World) {
    world.user(user(1), "ROLE_USER").await;
    world.user(user(2), "ROLE_USER").await;
    let created = json!({
        "roomId": ROOM,
        "name": "room",
        "description": null,
        "kind": "group",
        "visibility": "private",
        "ownerId": user(1),
        "botId": null,
        "members": [{ "userId": user(1), "role": "owner" }],
        "settings": {},
    });
    world
        .event(subject::room(ROOM, "ChatRoomCreated"), created)
        .await;
    send(world, 1, user(1), "user").await;
    send(world, 2, user(1), "user").await;
    send(world, 2, user(1), "user").await;
    send(world, 3, BOT, "bot").await;
    world.log_in(user(2)).await;
    world.log_in(user(1)).await;
    world.clock.advance(std::time::Duration::from_hours(12));
    send(world, 4, user(1), "user").await;
}

fn expected() -> Value {
    json!({
        "date": "2026-03-02",
        "newUsers": 3,
        "activeUsers": 2,
        "messages": 3,
        "botMessages": 1,
        "roomsCreated": 1,
        "rooms": [{ "roomId": ROOM, "messages": 3 }],
        "bots": [{ "botId": BOT, "messages": 1 }],
    })
}

/// Content type and text of an answer.
async fn text(process: &Process, path: &str, accept: &str) -> (String, String) {
    let call = process.api.get(path).bearer(&process.token);
    let reply = call.header("accept", accept).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    (reply.header("content-type").to_owned(), reply.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_counted_from_the_log_and_read_in_three_forms() {
    let (world, process) = World::start().await;
    let empty = text(&process, "/api/batch/reports", "text/html").await;
    assert!(
        empty.1.contains("No day has been reported yet"),
        "{}",
        empty.1
    );
    a_day(&world).await;

    let run = process
        .run("daily-report", &json!({ "date": "2026-03-02" }))
        .await;
    let run = process.ended(&run).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["figures"]["messages"], 3);
    let report = process.get("/api/batch/reports/2026-03-02").await;
    assert_eq!(report, expected());
    let list = process
        .get("/api/batch/reports?from=2026-03-01&to=2026-03-02")
        .await;
    assert_eq!(list, json!({ "items": [expected()], "nextCursor": null }));

    let (content_type, csv) = text(&process, "/api/batch/reports/2026-03-02", "text/csv").await;
    assert_eq!(content_type, "text/csv; charset=utf-8");
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[1], "2026-03-02,3,2,3,1,1,,");
    assert_eq!(lines[2], format!("2026-03-02,,,3,,,{ROOM},"));
    let (_, page) = text(&process, "/api/batch/reports/2026-03-02", "text/html").await;
    assert!(page.contains(&ROOM.to_string()), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_reports_nothing() {
    let (world, process) = World::start().await;
    a_day(&world).await;
    let body = json!({ "dryRun": true, "date": "2026-03-02" });
    let run = process.run("daily-report", &body).await;
    let run = process.ended(&run).await;
    assert_eq!(
        (&run["state"], &run["dryRun"]),
        (&json!("succeeded"), &json!(true))
    );
    assert_eq!(run["figures"]["newUsers"], 3);
    let call = process.api.get("/api/batch/reports/2026-03-02");
    let reply = call.bearer(&process.token).send().await;
    assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_none_are_refused() {
    let (_world, process) = World::start().await;
    for (path, status) in [
        ("/api/batch/reports/yesterday", 400),
        ("/api/batch/reports?from=x", 422),
        ("/api/batch/reports?from=2026-03-02&to=2026-03-01", 422),
    ] {
        let reply = process.api.get(path).bearer(&process.token).send().await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
    }
    for date in ["2026-03-03", "2026-02-31", "x"] {
        let call = process.api.post(
            "/api/batch/jobs/daily-report/runs",
            &json!({ "date": date }),
        );
        let reply = call.bearer(&process.token).send().await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["date"]),
            "{date}"
        );
    }
}
