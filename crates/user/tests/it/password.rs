//! `PUT /api/users/{id}/password`.

use axum::http::Method;
use doran_platform::credentials::Credentials;
use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World};

const OTHER: &str = "another fine password";

async fn change(world: &World, path: &str, token: &str, (from, to): (&str, &str)) -> Reply {
    let call = world.api.call(Method::PUT, path).bearer(token);
    let body = json!({ "currentPassword": from, "newPassword": to });
    call.json(&body).send().await
}

/// The events on a person beside the first, as the log has them.
async fn events(world: &World) -> Vec<String> {
    let all = world.raw("USER").await;
    let changes = all
        .into_iter()
        .filter(|event| event.contains("PasswordChanged"));
    changes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_password_takes_another_and_one_session_goes_on() {
    let world = World::start().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let path = format!("/api/users/{kim}/password");
    let reply = change(&world, &path, &token, (PASSWORD, OTHER)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.data()["id"], json!(kim));
    let event = events(&world).await.pop().unwrap();
    let body: Value = serde_json::from_str(event.rsplit_once("} ").unwrap().1).unwrap();
    let session = "00000000-0000-0000-0000-000000000007";
    assert_eq!(
        body,
        json!({ "userId": kim, "reason": "changed", "keptSessionId": session })
    );
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key);
    let hash = credentials.await.unwrap().find(kim).await.unwrap();
    let passwords = &world.platform.passwords;
    assert!(passwords.verify(OTHER, hash.as_ref()).await.unwrap());
    assert!(!passwords.verify(PASSWORD, hash.as_ref()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_it_or_is_not_meant_changes_nothing() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let path = format!("/api/users/{kim}/password");
    let wrong = change(&world, &path, &token, ("not it at all", OTHER)).await;
    assert_eq!(wrong.refusal(), (401, "INVALID_CREDENTIALS"));
    let by_admin = change(&world, &path, &admin, (PASSWORD, OTHER)).await;
    assert_eq!(by_admin.refusal(), (403, "FORBIDDEN"));
    let short = change(&world, &path, &token, (PASSWORD, "short")).await;
    assert_eq!((short.status, short.fields()), (422, vec!["newPassword"]));
    let stale = world.api.call(Method::PUT, &path).bearer(&token);
    let stale = stale.header("if-match", "\"1\"");
    let body = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    let stale = stale.json(&body).send().await;
    assert_eq!(stale.refusal(), (412, "PRECONDITION_FAILED"));
    assert_eq!(events(&world).await.len(), 0);
    let still = change(&world, &path, &token, (PASSWORD, OTHER)).await;
    assert_eq!(still.status, 200, "{}", still.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_between_hash_and_event_the_same_request_finishes() {
    let world = World::start().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key);
    let credentials = credentials.await.unwrap();
    let current = credentials.current(kim).await.unwrap().unwrap();
    let hash = world.platform.passwords.hash(OTHER).await.unwrap();
    let replaced = credentials.replace(kim, &hash, current.revision).await;
    assert!(replaced.unwrap());
    assert!(
        !credentials
            .replace(kim, &hash, current.revision)
            .await
            .unwrap()
    );

    let path = format!("/api/users/{kim}/password");
    let reply = change(&world, &path, &token, (PASSWORD, OTHER)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(events(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_known_and_another_request_under_its_key_is_refused() {
    let world = World::start().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let send = async |from: &str, to: &str| {
        let call = world
            .api
            .call(Method::PUT, &format!("/api/users/{kim}/password"));
        let call = call.bearer(&token).header("idempotency-key", "one");
        let body = json!({ "currentPassword": from, "newPassword": to });
        call.json(&body).send().await
    };
    let first = send(PASSWORD, OTHER).await;
    let again = send(PASSWORD, OTHER).await;
    assert_eq!(
        again.header("doran-position"),
        first.header("doran-position")
    );
    let other = send(OTHER, PASSWORD).await;
    assert_eq!(other.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(events(&world).await.len(), 1);
    assert_eq!(send(PASSWORD, OTHER).await.status, 200);
}
