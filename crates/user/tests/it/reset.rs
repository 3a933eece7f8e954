//! `POST /api/auth/password/reset/…`.

use std::fs;

use axum::http::Method;
use doran_contract::UserId;
use doran_platform::credentials::Credentials;
use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World, until};

const OTHER: &str = "another fine password";

async fn request(world: &World, email: &str) -> Reply {
    let body = json!({ "email": email });
    let call = world.api.post("/api/auth/password/reset/request", &body);
    call.send().await
}

async fn execute(world: &World, token: &str, password: &str) -> Reply {
    let body = json!({ "token": token, "newPassword": password });
    let call = world.api.post("/api/auth/password/reset/execute", &body);
    call.send().await
}

fn mails(world: &World) -> Vec<String> {
    let files = fs::read_dir(world.folder.path()).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mails = paths.filter(|path| path.extension().is_some_and(|kind| kind == "eml"));
    mails
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// The token out of the only mail there is.
async fn token_for(world: &World, email: &str) -> String {
    assert_eq!(request(world, email).await.status, 202);
    until(async || !mails(world).is_empty()).await;
    let mail = mails(world).pop().unwrap();
    assert!(mail.contains(&format!("To: {email}")), "{mail}");
    let is_token = |line: &&str| line.len() == 64 && !line.contains([' ', '=', ':', '/']);
    mail.lines().find(is_token).unwrap().to_owned()
}

async fn has_password(world: &World, user: UserId, password: &str) -> bool {
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key);
    let hash = credentials.await.unwrap().find(user).await.unwrap();
    let passwords = &world.platform.passwords;
    passwords.verify(password, hash.as_ref()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_the_mail_sets_a_password_once() {
    let world = World::start().await;
    let (kim, _) = world.person("kim@example.com", ("Kim", "A")).await;
    let token = token_for(&world, "kim@example.com").await;
    let short = execute(&world, &token, "short").await;
    assert_eq!((short.status, short.fields()), (422, vec!["newPassword"]));

    let done = execute(&world, &token, OTHER).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(!done.body.to_string().contains(&token));
    assert!(has_password(&world, kim, OTHER).await);
    let event = world.raw("USER").await.pop().unwrap();
    assert!(event.contains("PasswordChanged"), "{event}");
    let body: Value = serde_json::from_str(event.rsplit_once("} ").unwrap().1).unwrap();
    assert_eq!(
        body,
        json!({ "userId": kim, "reason": "reset", "keptSessionId": null })
    );

    let again = execute(&world, &token, "a third fine password").await;
    assert_eq!(again.refusal(), (401, "INVALID_CREDENTIALS"));
    assert!(has_password(&world, kim, OTHER).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_has_is_answered_alike_and_gets_nothing() {
    let world = World::start().await;
    world.person("kim@example.com", ("Kim", "A")).await;
    let (unknown, known) = (
        request(&world, "nobody@example.com").await,
        request(&world, "kim@example.com").await,
    );
    assert_eq!((unknown.status, known.status), (202, 202));
    assert_eq!(unknown.body["data"], known.body["data"]);
    until(async || !mails(&world).is_empty()).await;
    // A second request at once sends nothing more.
    assert_eq!(request(&world, "kim@example.com").await.status, 202);
    world.platform.lifecycle.tasks().close();
    assert_eq!(mails(&world).len(), 1);
    let bad = request(&world, "not an address").await;
    assert_eq!((bad.status, bad.fields()), (422, vec!["email"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_void_once_there_is_another_password() {
    let world = World::start().await;
    let (kim, access) = world.person("kim@example.com", ("Kim", "A")).await;
    let token = token_for(&world, "kim@example.com").await;
    let path = format!("/api/users/{kim}/password");
    let body = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    let call = world.api.call(Method::PUT, &path).bearer(&access);
    assert_eq!(call.json(&body).send().await.status, 200);
    let refused = execute(&world, &token, "a third fine password").await;
    assert_eq!(refused.refusal(), (401, "INVALID_CREDENTIALS"));
    assert!(has_password(&world, kim, OTHER).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_token_is_refused() {
    let world = World::start().await;
    world.person("kim@example.com", ("Kim", "A")).await;
    let token = token_for(&world, "kim@example.com").await;
    let mut changed = token.clone();
    changed.replace_range(60..61, if &token[60..61] == "A" { "B" } else { "A" });
    for wrong in [
        changed.as_str(),
        "x",
        "!!",
        &"A".repeat(64),
        &"A".repeat(200),
    ] {
        let refused = execute(&world, wrong, OTHER).await;
        assert_eq!(refused.refusal(), (401, "INVALID_CREDENTIALS"), "{wrong}");
    }
    let long = execute(&world, &"A".repeat(201), OTHER).await;
    assert_eq!((long.status, long.fields()), (422, vec!["token"]));
}
