//! `GET /api/users/audit`.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_who_did_what_to_whom_and_nothing_personal() {
    let world = World::start().await;
    let (admin_id, admin) = world.admin().await;
    let (kim, kim_token) = world.person("kim@example.com", ("Planted", "A")).await;
    let path = format!("/api/users/{kim}");
    for (method, path) in [
        (Method::PATCH, format!("{path}/status?status=INACTIVE")),
        (Method::PATCH, format!("{path}/status?status=ACTIVE")),
        (Method::DELETE, path.clone()),
    ] {
        let reply = world.api.call(method, &path).bearer(&admin).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let audit = async |query: &str| {
        let call = world.api.get(&format!("/api/users/audit?{query}"));
        let reply = call.bearer(&admin).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(!reply.body.to_string().contains("lanted"), "{}", reply.body);
        reply.data().clone()
    };
    let list = async |query: &str| audit(query).await["items"].as_array().unwrap().clone();
    let about_kim = format!("subject={kim}");
    until(async || list(&about_kim).await.len() == 5).await;
    let entries = list(&about_kim).await;
    let lines: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry["type"].clone(),
                entry["actor"].clone(),
                entry["details"].clone(),
            )
        })
        .collect();
    let policy = "erase-deleted-people";
    let change = |from: &str, to: &str| json!({ "from": from, "to": to });
    let expected = [
        (json!("UserErased"), json!(policy), json!({})),
        (json!("UserDeleted"), json!(admin_id), json!({})),
        (
            json!("UserStatusChanged"),
            json!(admin_id),
            change("INACTIVE", "ACTIVE"),
        ),
        (
            json!("UserStatusChanged"),
            json!(admin_id),
            change("ACTIVE", "INACTIVE"),
        ),
        (json!("UserCreated"), Value::Null, json!({})),
    ];
    assert_eq!(lines, expected);

    assert_eq!(list(&format!("actor={admin_id}")).await.len(), 3);
    let promoted = list("type=UserRoleChanged&actor=operator").await;
    assert_eq!(promoted[0]["subject"], json!(admin_id));
    assert_eq!(list("to=2026-03-01T09:00:00Z").await.len(), 0);
    assert_eq!(list("from=2026-03-01T09:00:00Z&limit=2").await.len(), 2);
    let refused = world
        .api
        .get("/api/users/audit")
        .bearer(&kim_token)
        .send()
        .await;
    assert_eq!(refused.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    for name in ["a", "b", "c"] {
        world
            .person(&format!("{name}@example.com"), ("Kim", name))
            .await;
    }
    let audit = async |query: &str| {
        let call = world.api.get(&format!("/api/users/audit?{query}"));
        call.bearer(&admin).send().await.data().clone()
    };
    let list = async || {
        audit("limit=100").await["items"]
            .as_array()
            .unwrap()
            .clone()
    };
    until(async || list().await.len() == 5).await;
    let mut cursor = String::new();
    let mut seen = Vec::new();
    loop {
        let page = audit(&format!("limit=2{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, list().await);
}
