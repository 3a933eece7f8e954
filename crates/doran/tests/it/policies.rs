//! What follows from a suspension, in the whole system and for its operators.

use serde_json::{Value, json};

use crate::{
    chat::Person,
    system::{System, until},
};

async fn policies(system: &System) -> Vec<Value> {
    system.run(&["policies", "status", "--json"]).await.json()
}

#[tokio::test]
async fn a_suspension_and_its_end_reach_rooms_sessions_and_sockets_of_every_role() {
    let system = System::in_separate_processes().await;
    let running = |policy: &Value| policy["state"] == "up to date";
    until(async || policies(&system).await.iter().all(running)).await;
    let (kim, lee) = (
        Person::register(&system, "kim").await,
        Person::register(&system, "lee").await,
    );
    let room = json!({ "name": "회의", "memberIds": [lee.id] });
    let created = kim.post("/api/chat/rooms", &room).await;
    let room = format!("/api/chat/rooms/{}", created.data["id"].as_str().unwrap());
    let position = created.position.unwrap();
    let status = async || lee.get(&room, &position).await.data["status"].clone();
    assert_eq!(status().await, "active");
    let mut socket = kim.socket().await;

    let suspended = system.run(&["users", "suspend", "kim@example.com"]).await;
    assert_eq!(suspended.code, 0, "{suspended:?}");
    assert_eq!(socket.closed().await, Some(4503));
    until(async || status().await == "deactivated").await;
    assert_eq!(kim.get("/api/auth/me", "USER:1").await.status, 401);

    let promoted = system.run(&["users", "promote", "lee@example.com"]).await;
    assert_eq!(promoted.code, 0, "{promoted:?}");
    let reinstate = format!("/api/users/{}/status?status=ACTIVE", kim.id);
    until(async || lee.patch(&reinstate).await.status == 200).await;
    until(async || status().await == "active").await;
    assert_eq!(kim.get("/api/auth/me", "USER:1").await.status, 401);

    until(async || policies(&system).await.iter().all(running)).await;
    for process in system.services.iter().chain([&system.gateway]) {
        assert!(
            !process.log().contains("ermissions Violation"),
            "{}",
            process.log()
        );
    }
}

#[tokio::test]
async fn a_deletion_reaches_rooms_sessions_and_sockets_of_every_role() {
    let system = System::in_separate_processes().await;
    let running = |policy: &Value| policy["state"] == "up to date";
    until(async || policies(&system).await.iter().all(running)).await;
    let (kim, lee) = (
        Person::register(&system, "kim").await,
        Person::register(&system, "lee").await,
    );
    let mut socket = kim.socket().await;
    let promoted = system.run(&["users", "promote", "lee@example.com"]).await;
    assert_eq!(promoted.code, 0, "{promoted:?}");
    let path = format!("/api/users/{}", kim.id);
    until(async || lee.delete(&path).await.status == 200).await;
    assert_eq!(socket.closed().await, Some(4503));
    assert_eq!(kim.get("/api/auth/me", "USER:1").await.status, 401);
    until(async || {
        let log = system.run(&["events", "view", "USER", "--type", "UserErased", "--json"]);
        log.await.json().len() == 1
    })
    .await;
    until(async || policies(&system).await.iter().all(running)).await;
    let left = lee.get(&path, "USER:1").await;
    assert_eq!(left.data["name"], "deleted user");
    for process in system.services.iter().chain([&system.gateway]) {
        assert!(
            !process.log().contains("ermissions Violation"),
            "{}",
            process.log()
        );
    }
}

#[tokio::test]
async fn an_operator_sees_what_is_parked_and_lets_it_go() {
    let system = System::in_one_process().await;
    let running = |policy: &Value| policy["state"] == "up to date";
    until(async || policies(&system).await.iter().all(running)).await;
    let parked = system.run(&["policies", "parked"]).await;
    assert_eq!(
        (parked.code, parked.stdout.as_str()),
        (0, "nothing is parked\n")
    );

    let user = "01960000-0000-7000-8000-000000000001";
    let subject = format!("user.{user}.UserStatusChanged");
    let headers = async_nats::HeaderMap::new();
    system
        .append(subject, headers, r#"{"nonsense":true}"#.to_owned())
        .await;
    let parked = async || system.run(&["policies", "parked", "--json"]).await.json();
    until(async || parked().await.len() == 2).await;
    let first = &parked().await[0];
    assert_eq!(first["policy"], "sessions-end-with-account");
    assert_eq!(first["aggregate"], format!("user.{user}"));
    assert_eq!(first["eventType"], "UserStatusChanged");

    let aggregate = format!("user.{user}");
    let retried = system
        .run(&["policies", "retry", "sessions-end-with-account", &aggregate])
        .await;
    assert_eq!(
        retried.stdout,
        format!("sessions-end-with-account {aggregate}: let go\n")
    );
    // Nothing was mended, so it is parked again.
    until(async || parked().await.len() == 2).await;
    let unknown = system.run(&["policies", "retry", "no-such", "--all"]).await;
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.stderr.contains("there is no policy no-such"),
        "{unknown:?}"
    );
}
