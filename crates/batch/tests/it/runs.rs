//! Runs: wanted at once, taken up by one process, taken over by another.

use doran_contract::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Process, World, until};

const RUNS: &str = "/api/batch/jobs/daily-report/runs";

/// A connection of the test's own that keeps every job from its tables until it ends.
async fn stall(world: &World) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut lock = world.database.pool().begin().await.unwrap();
    let sql = "lock table batch.reports, batch.log_ins in access exclusive mode";
    sqlx::query(sql).execute(&mut *lock).await.unwrap();
    lock
}

async fn events(world: &World, event_type: &str) -> Vec<Value> {
    let js = world.nats.jetstream().await;
    let reader = doran_eventstore::LogReader::new(js, "JOB");
    let filter = format!("job.*.{event_type}");
    let events = reader.read(&filter, 1, 1000).await.unwrap();
    let body = |event: &doran_eventstore::Recorded| serde_json::from_slice(&event.payload).unwrap();
    events.iter().map(body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_stops_is_taken_up_by_another_and_ends_once() {
    let world = World::new().await;
    let one = world.process().await;
    let stalled = stall(&world).await;
    let run = one.run("daily-report", &json!({})).await;
    until(async || {
        let stream = world
            .nats
            .jetstream()
            .await
            .get_stream("SCHEDULE")
            .await
            .unwrap();
        let consumer = stream.consumer_info("runners").await.unwrap();
        consumer.num_ack_pending == 1
    })
    .await;
    let other = world.process().await;
    one.platform.lifecycle.stop().await;
    stalled.rollback().await.unwrap();

    let ended = other.ended(&run).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    for event_type in ["JobRunStarted", "JobRunCompleted"] {
        let events = events(&world, event_type).await;
        let ids: Vec<_> = events.iter().map(|event| &event["runId"]).collect();
        assert_eq!(ids, [&json!(run)], "{event_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_again_and_again_has_failed_with_its_reason() {
    let (world, process) = World::start().await;
    let broken = "alter table batch.sent_messages rename column day to another";
    let pool = world.database.pool();
    sqlx::query(broken).execute(&pool).await.unwrap();
    let run = process.run("daily-report", &json!({})).await;
    let ended = process.ended(&run).await;
    assert_eq!(ended["state"], "failed");
    let error = ended["error"].as_str().unwrap();
    assert!(error.contains("counting"), "{error}");
    assert_eq!(events(&world, "JobRunFailed").await.len(), 1);
    let jobs = process.get("/api/batch/jobs").await;
    let job = jobs["items"].as_array().unwrap().iter();
    let job = job
        .clone()
        .find(|job| job["name"] == "daily-report")
        .unwrap();
    assert_eq!(job["lastRun"]["id"], run.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_run() {
    let (world, process) = World::start().await;
    let want = async |body: Value| {
        let call = process.api.post(RUNS, &body).bearer(&process.token);
        call.header("idempotency-key", "one").send().await
    };
    let first = want(json!({ "dryRun": true })).await;
    let id = first.data()["id"].as_str().unwrap().to_owned();
    let again = want(json!({ "dryRun": true })).await;
    assert_eq!(again.data()["id"], id.as_str());
    process.ended(&id).await;
    let late = want(json!({ "dryRun": true })).await;
    assert_eq!(late.data()["state"], "succeeded");
    assert_eq!(events(&world, "JobRunStarted").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_newest_first_page_by_page() {
    let (_world, process) = World::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = process
            .run("daily-report", &json!({ "dryRun": true }))
            .await;
        process.ended(&id).await;
        ids.push(json!(id));
    }
    ids.reverse();
    let first = process
        .get("/api/batch/runs?job=daily-report&limit=2")
        .await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = process
        .get(&format!("/api/batch/runs?limit=2&cursor={cursor}"))
        .await;
    let listed = [&first, &rest].map(|page| page["items"].as_array().unwrap());
    let listed: Vec<_> = listed
        .into_iter()
        .flatten()
        .map(|run| run["id"].clone())
        .collect();
    assert_eq!(listed, ids);
    assert_eq!(rest["nextCursor"], Value::Null);
    let none = process.get("/api/batch/runs?job=another").await;
    assert_eq!(none, json!({ "items": [], "nextCursor": null }));
}

async fn status(process: &Process, token: &str, path: &str) -> u16 {
    process.api.get(path).bearer(token).send().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_who_may_not_is_refused() {
    let (world, process) = World::start().await;
    let kim = UserId::new(Uuid::from_u128(1));
    world.user(kim, "ROLE_USER").await;
    let token = world.token(&process.platform, kim);
    for path in ["/api/batch/jobs", "/api/batch/runs", "/api/batch/reports"] {
        assert_eq!(status(&process, &token, path).await, 403, "{path}");
        assert_eq!(status(&process, "nonsense", path).await, 401, "{path}");
    }
    let admin = &process.token;
    let unknown = format!("/api/batch/runs/{}", Uuid::from_u128(9));
    assert_eq!(status(&process, admin, &unknown).await, 404);
    assert_eq!(status(&process, admin, "/api/batch/runs/x").await, 400);
    assert_eq!(
        status(&process, admin, "/api/batch/runs?limit=0").await,
        422
    );
    let call = process.api.post("/api/batch/jobs/nothing/runs", &json!({}));
    let reply = call.bearer(admin).send().await;
    assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
    let without_a_body = process
        .api
        .call(axum::http::Method::POST, RUNS)
        .bearer(admin);
    assert_eq!(without_a_body.send().await.status, 201);
}
