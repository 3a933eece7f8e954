//! `DELETE /api/users/{id}` and the erasure that follows from it.

use axum::http::Method;
use doran_platform::credentials::Credentials;
use doran_projection::policy::report;
use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{World, registration, until};

async fn delete(world: &World, path: &str, token: &str) -> Reply {
    world
        .api
        .call(Method::DELETE, path)
        .bearer(token)
        .send()
        .await
}

async fn events_of(world: &World, event_type: &str) -> usize {
    let events = world.raw("USER").await;
    events
        .iter()
        .filter(|event| event.split(' ').next().unwrap().ends_with(event_type))
        .count()
}

async fn until_erased(world: &World, times: usize) {
    until(async || events_of(world, ".UserErased").await == times).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_is_hidden_locked_out_and_erased() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let (kim, token) = world.person("kim@example.com", ("김", "민수")).await;
    let path = format!("/api/users/{kim}");
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key);
    let credentials = credentials.await.unwrap();
    let reply = delete(&world, &path, &token).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.data(), &json!({ "id": kim, "deleted": true }));

    until(async || world.api.get(&path).bearer(&token).send().await.status == 401).await;
    let get = async |path: &str| {
        let call = world.api.get(path).bearer(&admin);
        let call = call.header("doran-min-position", reply.header("doran-position"));
        call.send().await
    };
    let left = get(&path).await;
    let left = left.data();
    assert_eq!(
        (&left["id"], &left["name"]),
        (&json!(kim), &json!("deleted user"))
    );
    for field in ["email", "picture", "info", "lastConnTime"] {
        assert_eq!(left[field], Value::Null, "{field}");
    }
    for list in [
        "/api/users",
        "/api/users/search?q=ㄱㅁㅅ",
        "/api/users?q=kim@example.com",
    ] {
        let page = get(list).await;
        let items = page.data()["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|user| user["id"] != json!(kim)), "{list}");
    }
    assert_eq!(get("/api/users/email/kim@example.com").await.status, 404);

    until_erased(&world, 1).await;
    assert!(credentials.find(kim).await.unwrap().is_none());
    assert!(world.platform.keyring.key(kim).await.unwrap().is_none());
    for bucket in ["DATA_KEY", "CREDENTIAL"] {
        let store = world.platform.js.get_key_value(bucket).await.unwrap();
        let entry = store.entry(kim.to_string()).await.unwrap();
        assert!(entry.is_none(), "{bucket}");
    }
    let settings = get(&format!("{path}/settings")).await;
    assert_eq!(settings.refusal(), (404, "NOT_FOUND"));
    let again = delete(&world, &path, &admin).await;
    assert_eq!(again.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_deleted_person_is_free_and_another_may_have_it() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let body = registration("kim@example.com", ("Kim", "A"));
    let first = world.api.post("/api/users", &body);
    let first = first.header("idempotency-key", "one").send().await;
    let path = first.header("location").to_owned();
    let call = world.api.call(Method::DELETE, &path).bearer(&admin);
    let reply = call.header("idempotency-key", "bye").send().await;
    let call = world.api.call(Method::DELETE, &path).bearer(&admin);
    let retried = call.header("idempotency-key", "bye").send().await;
    assert_eq!(
        (retried.status, retried.header("doran-position")),
        (200, reply.header("doran-position"))
    );
    until_erased(&world, 1).await;

    // A late retry of the old registration makes neither an account nor a key.
    let late = world.api.post("/api/users", &body);
    let late = late.header("idempotency-key", "one").send().await;
    assert_eq!(late.refusal(), (404, "NOT_FOUND"));
    let old = path.rsplit('/').next().unwrap();
    let keys = world.platform.js.get_key_value("DATA_KEY").await.unwrap();
    assert!(keys.entry(old).await.unwrap().is_none());

    let taken = world.api.get("/api/users/check-email/kim@example.com");
    assert_eq!(taken.send().await.data(), &json!(false));
    let second = world.api.post("/api/users", &body).send().await;
    assert_eq!(second.status, 201, "{}", second.body);
    assert_ne!(second.header("location"), path);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_deletes_somebody_else() {
    let world = World::start().await;
    let (kim, _) = world.person("kim@example.com", ("Kim", "A")).await;
    let (_, lee) = world.person("lee@example.com", ("Lee", "B")).await;
    let path = format!("/api/users/{kim}");
    assert_eq!(
        delete(&world, &path, &lee).await.refusal(),
        (403, "FORBIDDEN")
    );
    let anonymous = world.api.call(Method::DELETE, &path).send().await;
    assert_eq!(anonymous.refusal(), (401, "UNAUTHENTICATED"));
    assert_eq!(events_of(&world, ".UserDeleted").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_stopped_after_any_step_is_finished() {
    let world = World::start().await;
    let js = &world.platform.js;
    until(async || report(js, &doran_user::ERASE_DELETED).await.is_ok()).await;
    let (_, admin) = world.admin().await;
    let credentials = Credentials::open(js, &world.platform.master_key);
    let credentials = credentials.await.unwrap();
    // What each stop leaves behind: nothing done, the key destroyed, the credential gone as well.
    for done in 0..3 {
        let email = format!("kim{done}@example.com");
        let (kim, _) = world.person(&email, ("Kim", "A")).await;
        if done >= 1 {
            world.platform.keyring.destroy(kim).await.unwrap();
        }
        if done >= 2 {
            credentials.remove(kim).await.unwrap();
        }
        let deleted = delete(&world, &format!("/api/users/{kim}"), &admin).await;
        assert_eq!(deleted.status, 200, "{}", deleted.body);
        until_erased(&world, done + 1).await;
        assert!(world.platform.keyring.key(kim).await.unwrap().is_none());
        assert!(credentials.find(kim).await.unwrap().is_none());
    }
}
