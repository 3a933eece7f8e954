//! Jobs in processes of their own, with the rights that nats.conf gives each role.

use doran_testkit::NatsUser;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    chat::Person,
    process::Process,
    system::{System, until},
};

const JOBS: [&str; 6] = [
    "token-cleanup",
    "room-cleanup",
    "message-archive",
    "inactive-users",
    "daily-report",
    "projection-audit",
];
/// Its place among the processes of services.
const CHAT: usize = 2;

async fn admin(system: &System) -> Person {
    let admin = Person::register(system, "admin").await;
    let promoted = system.run(&["users", "promote", "admin@example.com"]).await;
    assert_eq!(promoted.code, 0, "{promoted:?}");
    until(async || {
        let audit = admin.call(Method::GET, "/api/users/audit", None).await;
        audit.status == StatusCode::OK
    })
    .await;
    admin
}

async fn want(admin: &Person, job: &str, body: &Value) -> String {
    let path = format!("/api/batch/jobs/{job}/runs");
    let run = admin.post(&path, body).await;
    assert_eq!(run.status, StatusCode::CREATED, "{}", run.data);
    format!("/api/batch/runs/{}", run.data["id"].as_str().unwrap())
}

/// Waits in the table: who asks often is limited.
async fn ended(system: &System, admin: &Person, run: &str) -> Value {
    let id = run.rsplit('/').next().unwrap();
    let ended = format!("batch.runs where state <> 'running' and id = '{id}'");
    until(async || system.count(&ended).await == 1).await;
    let run = admin.call(Method::GET, run, None).await;
    assert_eq!(run.status, StatusCode::OK, "{}", run.data);
    run.data
}

/// Today where reports are counted.
fn today() -> String {
    let now = doran_platform::Clock::system().now() + chrono::TimeDelta::hours(9);
    now.date_naive().to_string()
}

/// The words of a room's history, and the ids of its messages.
async fn history(person: &Person, room: &str) -> Vec<Value> {
    let path = format!("/api/chat/rooms/{room}/messages");
    let page = person.call(Method::GET, &path, None).await;
    page.data["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_job_does_its_work_with_the_rights_of_its_role() {
    let system = System::in_separate_processes().await;
    let admin = admin(&system).await;
    let (kept, gone) = (room(&admin).await, room(&admin).await);
    let path = format!("/api/chat/rooms/{gone}");
    let deleted = admin.call(Method::DELETE, &path, None).await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.data);
    until(async || system.count("chat.messages").await == 2).await;

    let date = json!({ "date": today() });
    let mut figures = std::collections::HashMap::new();
    for job in JOBS {
        let run = ended(&system, &admin, &want(&admin, job, &date).await).await;
        assert_eq!(run["state"], "succeeded", "{job}: {run}\n{}", system.logs());
        figures.insert(job, run["figures"].clone());
    }
    assert_eq!(figures["room-cleanup"]["rooms"], 1);
    assert_eq!(figures["message-archive"]["files"], 1);
    assert_eq!(figures["daily-report"]["messages"], 2);
    assert_eq!(figures["projection-audit"]["differing"], 0);
    assert_eq!(figures["projection-audit"]["services"], 5);

    // What was deleted is gone, and of what was filed nothing but its place is there.
    until(async || system.count("chat.messages").await == 1).await;
    assert_eq!(
        system
            .count("chat.messages where content is not null")
            .await,
        0
    );
    assert_eq!(history(&admin, &kept).await, Vec::<Value>::new());
    let archives = admin.call(Method::GET, "/api/batch/archives", None).await;
    let archives = archives.data["items"].as_array().unwrap().clone();
    assert_eq!((archives.len(), &archives[0]["roomId"]), (1, &json!(kept)));

    // Once more there is nothing to do, and tables that are made anew agree.
    for job in ["room-cleanup", "message-archive"] {
        let run = ended(&system, &admin, &want(&admin, job, &date).await).await;
        assert_eq!(run["figures"]["rooms"], 0, "{run}");
    }
    erase_somebody_who_wrote(&system, &admin).await;
    let audit = ended(
        &system,
        &admin,
        &want(&admin, "projection-audit", &json!({})).await,
    )
    .await;
    assert_eq!(audit["figures"]["differing"], 0, "{audit}");
}

/// Leaves nothing in the search index, as a rebuild would.
async fn erase_somebody_who_wrote(system: &System, admin: &Person) {
    let kim = Person::register(system, "kim").await;
    room(&kim).await;
    let indexed = async || {
        let filled = "chat.message_tokens where tokens <> '{}'";
        system.count(filled).await
    };
    until(async || indexed().await == 1).await;
    let deleted = admin.delete(&format!("/api/users/{}", kim.id)).await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.data);
    until(async || indexed().await == 0).await;
}

/// A room with one message.
async fn room(admin: &Person) -> String {
    let room = admin
        .post("/api/chat/rooms", &json!({ "name": "room" }))
        .await;
    let room = room.data["id"].as_str().unwrap().to_owned();
    let messages = format!("/api/chat/rooms/{room}/messages");
    let sent = admin.post(&messages, &json!({ "content": "비밀" })).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.data);
    room
}

#[tokio::test]
async fn a_run_whose_process_is_killed_is_finished_by_another_one_and_completed_once() {
    let system = System::in_separate_processes().await;
    let admin = admin(&system).await;
    let stalled = system.lock("batch.log_ins").await;
    let one = system.start_as(NatsUser::Batch, &["batch"]);
    let path = want(&admin, "daily-report", &json!({})).await;
    let id = path.rsplit('/').next().unwrap();
    let runs_it = |process: &Process| process.log().contains(id);
    let processes = || std::iter::once(&one).chain(&system.services);
    until(async || processes().any(runs_it)).await;
    processes()
        .find(|process| runs_it(process))
        .unwrap()
        .kill_now();
    stalled.rollback().await.unwrap();

    // The gateway may have lost the only batch process that it knows.
    let succeeded = format!("batch.runs where state = 'succeeded' and id = '{id}'");
    until(async || system.count(&succeeded).await == 1).await;
    let words = [
        "events",
        "view",
        "JOB",
        "--json",
        "--type",
        "JobRunCompleted",
    ];
    let completed = system.run(&words).await.json();
    assert_eq!(completed.len(), 1, "{completed:?}");
}

#[tokio::test]
async fn an_audit_whose_service_is_killed_is_done_by_another_instance() {
    let system = System::in_separate_processes().await;
    let admin = admin(&system).await;
    let stalled = system.lock("chat.rooms").await;
    let path = want(&admin, "projection-audit", &json!({})).await;
    let id = path.rsplit('/').next().unwrap();
    // It compares, and holds the turn that a second instance asks for.
    let waits = "pg_stat_activity where wait_event_type = 'Lock' \
                 and datname = current_database() and query like '%hashtextextended(row%'";
    until(async || system.count(waits).await > 0).await;
    let another = system.start_as(NatsUser::Chat, &["chat"]);
    system.services[CHAT].kill_now();
    stalled.rollback().await.unwrap();

    let succeeded = format!("batch.runs where state = 'succeeded' and id = '{id}'");
    until(async || system.count(&succeeded).await == 1).await;
    assert!(!another.log().contains("ERROR"), "{}", another.log());
    assert!(
        !system.logs().contains("is tried again"),
        "{}",
        system.logs()
    );
    assert!(!system.logs().contains("Permissions Violation"));
    let left = "pg_namespace where nspname like '%audit'";
    assert_eq!(system.count(left).await, 0);
}
