//! Sessions end with the account.

use axum::http::Method;
use doran_projection::policy::report;
use doran_testkit::TestPostgres;
use serde_json::json;

use crate::world::{EMAIL, World, tokens, until};

const ADMIN: &str = "lee@example.com";

/// An administrator's access token, once the policy stands.
async fn admin(world: &World) -> String {
    until(async || {
        report(&world.platform.js, &doran_auth::END_WITH_ACCOUNT)
            .await
            .is_ok()
    })
    .await;
    world.register(ADMIN).await;
    doran_user::admin::promote(&world.platform, ADMIN)
        .await
        .unwrap();
    world.log_in(ADMIN).await.access
}

async fn change_status(world: &World, admin: &str, status: &str) {
    let log = doran_eventstore::LogReader::new(world.platform.js.clone(), "USER");
    let key = world.platform.blinder.email_key(EMAIL);
    let kim = log.claim_owner("email", &key).await.unwrap().unwrap();
    let path = format!("/api/users/{kim}/status?status={status}");
    let reply = world
        .api
        .call(Method::PATCH, &path)
        .bearer(admin)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

async fn revoked_sessions(world: &World) -> usize {
    let events = world.session_events().await;
    let by_account = |event: &&String| event.contains(r#""reason":"account""#);
    events.iter().filter(by_account).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_every_session_for_good() {
    let world = World::start().await;
    let admin = admin(&world).await;
    let (first, second) = (world.kim().await, world.log_in(EMAIL).await);
    change_status(&world, &admin, "SUSPENDED").await;
    world.until_refused(&first.access).await;
    world.until_refused(&second.access).await;
    let refused = world.try_log_in(EMAIL, crate::world::PASSWORD).await;
    assert_eq!(refused.refusal(), (403, "ACCOUNT_INACTIVE"));
    let refused = world.try_refresh(&first.refresh).await;
    assert_eq!(refused.refusal(), (403, "ACCOUNT_INACTIVE"));
    until(async || revoked_sessions(&world).await == 2).await;

    change_status(&world, &admin, "ACTIVE").await;
    until(async || world.try_log_in(EMAIL, crate::world::PASSWORD).await.status == 200).await;
    for old in [&first, &second] {
        assert_eq!(
            world.me(&old.access).await.refusal(),
            (401, "UNAUTHENTICATED")
        );
        let refreshed = world.try_refresh(&old.refresh).await;
        assert_eq!(refreshed.refusal(), (401, "UNAUTHENTICATED"));
    }
    assert_eq!(world.me(&admin).await.status, 200);
    assert_eq!(revoked_sessions(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_rests_keeps_its_sessions() {
    let world = World::start().await;
    let admin = admin(&world).await;
    let given = world.kim().await;
    change_status(&world, &admin, "INACTIVE").await;
    until(async || {
        let report = report(&world.platform.js, &doran_auth::END_WITH_ACCOUNT).await;
        report.is_ok_and(|report| report.waiting + report.under_way == 0)
    })
    .await;
    assert_eq!(world.try_refresh(&given.refresh).await.status, 200);
    assert_eq!(revoked_sessions(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_everywhere_while_postgres_is_away() {
    let postgres = TestPostgres::start().await;
    let world = World::start_on(&postgres).await;
    let admin = admin(&world).await;
    let first = world.kim().await;
    postgres.kill().await;
    let second = world.log_in(EMAIL).await;
    let call = world.api.call(Method::POST, "/api/auth/logout?all=true");
    let reply = call.bearer(&second.access).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.data()["sessionIds"].as_array().unwrap().len(), 2);
    for session in [&first, &second] {
        world.until_refused(&session.access).await;
        let refreshed = world.try_refresh(&session.refresh).await;
        assert_eq!(refreshed.refusal(), (401, "UNAUTHENTICATED"));
    }

    let third = tokens(&world.try_log_in(EMAIL, crate::world::PASSWORD).await);
    change_status(&world, &admin, "SUSPENDED").await;
    world.until_refused(&third.access).await;
    until(async || revoked_sessions(&world).await == 1).await;
}

async fn reasons(world: &World, reason: &str) -> usize {
    let events = world.session_events().await;
    let wanted = format!(r#""reason":"{reason}""#);
    events
        .iter()
        .filter(|event| event.contains(&wanted))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_ends_every_session_but_the_one_that_took_it() {
    let world = World::start().await;
    admin(&world).await;
    let kim = world.register(EMAIL).await;
    let (first, second, third) = (
        world.log_in(EMAIL).await,
        world.log_in(EMAIL).await,
        world.log_in(EMAIL).await,
    );
    let other = "another fine password";
    let call = world
        .api
        .call(Method::PUT, &format!("/api/users/{kim}/password"));
    let body = json!({ "currentPassword": crate::world::PASSWORD, "newPassword": other });
    let reply = call.bearer(&second.access).json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    world.until_refused(&first.access).await;
    world.until_refused(&third.access).await;
    assert_eq!(reasons(&world, "passwordChanged").await, 2);
    assert_eq!(world.me(&second.access).await.status, 200);
    let refused = world.try_log_in(EMAIL, crate::world::PASSWORD).await;
    assert_eq!(refused.refusal(), (401, "INVALID_CREDENTIALS"));
    assert_eq!(world.try_log_in(EMAIL, other).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_has_no_session_and_gets_none() {
    let world = World::start().await;
    admin(&world).await;
    let kim = world.register(EMAIL).await;
    let (first, second) = (world.log_in(EMAIL).await, world.log_in(EMAIL).await);
    let call = world.api.call(Method::DELETE, &format!("/api/users/{kim}"));
    let reply = call.bearer(&first.access).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    world.until_refused(&first.access).await;
    world.until_refused(&second.access).await;
    until(async || revoked_sessions(&world).await == 2).await;
    let refused = world.try_log_in(EMAIL, crate::world::PASSWORD).await;
    assert_eq!(refused.refusal(), (401, "INVALID_CREDENTIALS"));
    let refreshed = world.try_refresh(&second.refresh).await;
    assert!((400..500).contains(&refreshed.status), "{}", refreshed.body);
}
