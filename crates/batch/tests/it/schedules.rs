//! When jobs are due, and who may say so.

use std::collections::HashSet;

use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use axum::http::Method;
use doran_contract::subject;
use doran_testkit::Reply;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::world::{Process, World, until};

const JOB: &str = "/api/batch/jobs/daily-report";

async fn change(process: &Process, body: &Value) -> Reply {
    let call = process.api.call(Method::PATCH, JOB).json(body);
    call.bearer(&process.token).send().await
}

/// The message schedule of the job: its sequence and its cron; none if there is none.
async fn standing(world: &World) -> Option<(u64, String)> {
    let stream = world
        .nats
        .jetstream()
        .await
        .get_stream("SCHEDULE")
        .await
        .unwrap();
    match stream
        .get_last_raw_message_by_subject("schedule.daily-report")
        .await
    {
        Ok(message) => {
            let cron = message.headers.get("Nats-Schedule").unwrap().to_string();
            Some((message.sequence, cron))
        }
        Err(error) => {
            assert_eq!(error.kind(), LastRawMessageErrorKind::NoMessageFound);
            None
        }
    }
}

async fn runs(process: &Process) -> Vec<Value> {
    let page = process
        .get("/api/batch/runs?job=daily-report&limit=100")
        .await;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_made_once_and_another_process_leaves_a_changed_one() {
    let (world, one) = World::start().await;
    until(async || standing(&world).await.is_some()).await;
    let made = standing(&world).await.unwrap();
    let other = world.process().await;
    let changed = change(
        &one,
        &json!({ "schedule": "0 0 4 * * *", "timeZone": "UTC" }),
    )
    .await;
    assert_eq!(changed.data()["nextRunAt"], "2026-03-03T04:00:00.000Z");
    assert_eq!(changed.data()["paused"], false);
    let (sequence, cron) = standing(&world).await.unwrap();
    assert_eq!(cron, "0 0 4 * * *");
    assert!(sequence > made.0);

    let third = world.process().await;
    let jobs = third.get("/api/batch/jobs").await;
    let jobs = jobs["items"].as_array().unwrap();
    let job = jobs
        .iter()
        .find(|job| job["name"] == "daily-report")
        .unwrap();
    assert_eq!(
        (&job["schedule"], &job["timeZone"]),
        (&json!("0 0 4 * * *"), &json!("UTC"))
    );
    // What the third one would have changed, it has by now.
    until(async || {
        let last = world
            .nats
            .jetstream()
            .await
            .get_stream("SCHEDULE")
            .await
            .unwrap();
        last.cached_info().state.subjects_count >= jobs.len() as u64
    })
    .await;
    assert_eq!(standing(&world).await.unwrap(), (sequence, cron));
    drop((one, other));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_has_no_schedule_until_it_goes_on() {
    let (world, process) = World::start().await;
    until(async || standing(&world).await.is_some()).await;
    let paused = change(&process, &json!({ "paused": true })).await;
    assert_eq!(
        (&paused.data()["paused"], &paused.data()["nextRunAt"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(standing(&world).await, None);
    let again = change(&process, &json!({ "paused": false })).await;
    assert_eq!(again.data()["nextRunAt"], "2026-03-02T15:10:00.000Z");
    assert!(standing(&world).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_no_clock_shows_is_refused() {
    let (_world, process) = World::start().await;
    for (body, field) in [
        (json!({ "schedule": "0 0 4 * *" }), "schedule"),
        (json!({ "schedule": "0 0 4 31 2 *" }), "schedule"),
        (json!({ "schedule": 4 }), "schedule"),
        (json!({ "timeZone": "Mars/Olympus" }), "timeZone"),
        (json!({ "timeZone": "" }), "timeZone"),
        (json!({ "paused": "yes" }), "paused"),
    ] {
        let reply = change(&process, &body).await;
        assert_eq!((reply.status, reply.fields()), (422, vec![field]), "{body}");
    }
    let path = "/api/batch/jobs/nothing";
    let call = process.api.call(Method::PATCH, path).json(&json!({}));
    let unknown = call.bearer(&process.token).send().await;
    assert_eq!(unknown.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_due_every_second_runs_once_each_time_whichever_process_takes_it() {
    let (world, one) = World::start().await;
    let other = world.process().await;
    let every_second = change(&one, &json!({ "schedule": "* * * * * *" })).await;
    assert_eq!(every_second.status, 200, "{}", every_second.body);
    until(async || runs(&one).await.len() >= 3).await;
    change(&other, &json!({ "paused": true })).await;
    until(async || {
        runs(&one)
            .await
            .iter()
            .all(|run| run["state"] == "succeeded")
    })
    .await;
    let ended = runs(&one).await;

    // Whatever was fired has been taken: the queue is empty, and each due job made one run.
    let js = world.nats.jetstream().await;
    until(async || {
        let stream = js.get_stream("SCHEDULE").await.unwrap();
        let due = stream.info_with_subjects("due.*").await;
        due.unwrap().count().await == 0
    })
    .await;
    let ids: HashSet<_> = ended.iter().map(|run| run["id"].to_string()).collect();
    assert_eq!(ids.len(), ended.len());
    let log = js.get_stream("JOB").await.unwrap();
    let started = count(&log, "job.daily-report.JobRunStarted").await;
    assert_eq!(
        started,
        count(&log, "job.daily-report.JobRunCompleted").await
    );
    assert_eq!(started, runs(&one).await.len());
}

async fn count(stream: &Stream, subject: &str) -> usize {
    let subjects = stream.info_with_subjects(subject).await.unwrap();
    let counted: Vec<(String, usize)> = subjects.try_collect().await.unwrap();
    counted.first().map_or(0, |(_, count)| *count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_the_server_does_not_take_is_told_of_by_the_probe_and_keeps_no_other() {
    let world = World::new().await;
    let nowhere = json!({
        "job": "daily-report", "schedule": "0 0 4 * * *", "timeZone": "Mars/Phobos", "paused": false,
    });
    let subject = subject::job("daily-report", "JobScheduleChanged");
    world.event(subject, nowhere).await;
    let process = world.process().await;
    until(async || process.ill().await.is_some()).await;
    let ill = process.ill().await.unwrap();
    assert!(ill.starts_with("daily-report is not scheduled: "), "{ill}");
    assert!(!ill.contains("token-cleanup"), "{ill}");
    assert_eq!(standing(&world).await, None);
    let mended = change(&process, &json!({ "timeZone": "UTC" })).await;
    assert_eq!(mended.status, 200, "{}", mended.body);
    assert!(standing(&world).await.is_some());
}
