//! `GET /api/auth/sessions` and `DELETE /api/auth/sessions/{id}`.

use std::time::Duration;

use axum::http::Method;
use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{EMAIL, World};

async fn list(world: &World, token: &str, query: &str, position: &str) -> Reply {
    let call = world
        .api
        .get(&format!("/api/auth/sessions{query}"))
        .bearer(token);
    let reply = call.header("doran-min-position", position).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

fn items(reply: &Reply) -> &Vec<Value> {
    reply.data()["items"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_where_one_is_logged_in_and_ends_it_there() {
    let world = World::start().await;
    let first = world.kim().await;
    world.clock.advance(Duration::from_mins(1));
    let second = world.log_in(EMAIL).await;
    world.clock.advance(Duration::from_mins(1));
    let refreshed = world.try_refresh(&first.refresh).await;
    let reply = list(
        &world,
        &first.access,
        "",
        refreshed.header("doran-position"),
    )
    .await;
    let expected = json!([
        {
            "id": second.session, "device": "Kim's phone", "current": false,
            "createdAt": "2026-03-01T09:01:00.000Z", "lastSeenAt": "2026-03-01T09:01:00.000Z",
        },
        {
            "id": first.session, "device": "Kim's phone", "current": true,
            "createdAt": "2026-03-01T09:00:00.000Z", "lastSeenAt": "2026-03-01T09:02:00.000Z",
        },
    ]);
    assert_eq!(reply.data()["items"], expected);

    let path = format!("/api/auth/sessions/{}", second.session);
    let ended = world
        .api
        .call(Method::DELETE, &path)
        .bearer(&first.access)
        .send()
        .await;
    assert_eq!(ended.data()["sessionIds"], json!([second.session]));
    world.until_refused(&second.access).await;
    let reply = list(&world, &first.access, "", ended.header("doran-position")).await;
    assert_eq!(items(&reply).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_or_sees_the_session_of_another() {
    let world = World::start().await;
    let kim = world.kim().await;
    world.register("lee@example.com").await;
    let body = json!({ "email": "lee@example.com", "password": crate::world::PASSWORD });
    let reply = world.api.post("/api/auth/login", &body).send().await;
    let lee = crate::world::tokens(&reply);
    let listed = list(&world, &lee.access, "", reply.header("doran-position")).await;
    assert_eq!(items(&listed).len(), 1);
    assert_eq!(items(&listed)[0]["device"], Value::Null);
    let unknown = "00000000-0000-0000-0000-000000000001".to_owned();
    for session in [&kim.session, &unknown] {
        let path = format!("/api/auth/sessions/{session}");
        let reply = world
            .api
            .call(Method::DELETE, &path)
            .bearer(&lee.access)
            .send()
            .await;
        assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
    }
    assert_eq!(world.me(&kim.access).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_sessions_follow_each_other() {
    let world = World::start().await;
    let mut logged_in = vec![world.kim().await];
    for _ in 0..4 {
        logged_in.push(world.log_in(EMAIL).await);
    }
    let token = &logged_in[0].access;
    let position = format!("SESSION:{}", world.session_events().await.len());
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let reply = list(&world, token, &format!("?limit=2{cursor}"), &position).await;
        seen.extend(items(&reply).iter().map(|item| item["id"].clone()));
        match reply.data()["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = logged_in
        .iter()
        .rev()
        .map(|given| json!(given.session))
        .collect();
    assert_eq!(seen, expected);
}
