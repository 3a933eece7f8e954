//! The read models hold nothing plain, and know when somebody was last here.

use chrono::Days;
use doran_contract::{
    SessionId,
    events::{SessionRefreshed, SessionStarted},
    subject,
};
use doran_eventstore::{CommandContext, Lane, NewEvent, event_id};
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use crate::world::{World, id_of};

#[tokio::test(flavor = "multi_thread")]
async fn postgres_holds_no_plain_text() {
    let world = World::start().await;
    let body = json!({
        "email": "planted-address@example.com", "password": "planted-password",
        "firstName": "PlantedFirst", "lastName": "PlantedLast", "info": "planted-info",
    });
    let reply = world.api.post("/api/users", &body).send().await;
    let id = id_of(reply.data());
    let read = world
        .api
        .get(&format!("/api/users/{id}"))
        .bearer(&world.token(id));
    let read = read.header("doran-min-position", reply.header("doran-position"));
    assert_eq!(read.send().await.data()["info"], json!("planted-info"));
    let mut rows = 0;
    for table in ["users", "user_name_tokens"] {
        let sql = format!("select to_jsonb(t)::text as row from user_schema.{table} t");
        let sql = sqlx::AssertSqlSafe(sql);
        for row in sqlx::query(sql)
            .fetch_all(&world.database.pool())
            .await
            .unwrap()
        {
            let text = row.get::<String, _>("row").to_lowercase();
            assert!(!text.contains("planted"), "{table}: {text}");
            rows += 1;
        }
    }
    assert_eq!(rows, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_was_last_here_when_a_session_was_last_refreshed() {
    let world = World::start().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let session = SessionId::new(Uuid::from_u128(9));
    let now = world.platform.clock.now();
    let later = now + chrono::TimeDelta::minutes(5);
    let expires_at = (now + Days::new(30)).into();
    let started = SessionStarted {
        session_id: session,
        user_id: kim,
        device: None,
        refresh_token_hash: "a".to_owned(),
        started_at: now.into(),
        expires_at,
    };
    let refreshed = SessionRefreshed {
        session_id: session,
        user_id: kim,
        refresh_token_hash: "b".to_owned(),
        presented_token_hash: Some("a".to_owned()),
        refreshed_at: later.into(),
        expires_at,
    };
    append(&world, session, "SessionStarted", json!(started)).await;
    let position = append(&world, session, "SessionRefreshed", json!(refreshed)).await;
    let read = world.api.get(&format!("/api/users/{kim}")).bearer(&token);
    // The registration is the second message in USER, after the claim of its address.
    let position = format!("{position},USER:2");
    let read = read.header("doran-min-position", &position).send().await;
    assert_eq!(
        read.data()["lastConnTime"],
        json!("2026-03-01T09:05:00.000Z")
    );
}

async fn append(world: &World, session: SessionId, event_type: &str, body: Value) -> String {
    let ctx = CommandContext {
        command_id: world.platform.clock.new_id(),
        time: world.platform.clock.now(),
        actor: None,
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: "test",
    };
    let event = NewEvent {
        subject: subject::session(session, event_type),
        event_type,
        version: 1,
        event_id: event_id(ctx.command_id, 0),
        body: body.to_string().into(),
        ctx: &ctx,
    };
    let appended = Lane::new(world.platform.js.clone())
        .append(event)
        .await
        .unwrap();
    format!("SESSION:{}", appended.sequence)
}
