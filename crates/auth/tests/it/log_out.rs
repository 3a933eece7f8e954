//! `POST /api/auth/logout`.

use axum::http::Method;

use crate::world::{EMAIL, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_out_ends_this_session_and_no_other() {
    let world = World::start().await;
    let here = world.kim().await;
    let elsewhere = world.log_in(EMAIL).await;
    let call = world
        .api
        .call(Method::POST, "/api/auth/logout")
        .bearer(&here.access);
    let reply = call.send().await;
    assert_eq!(
        reply.data()["sessionIds"],
        serde_json::json!([here.session])
    );
    assert!(reply.header("doran-position").starts_with("SESSION:"));
    world.until_refused(&here.access).await;
    assert_eq!(
        world.try_refresh(&here.refresh).await.refusal(),
        (401, "UNAUTHENTICATED")
    );
    assert_eq!(world.me(&elsewhere.access).await.status, 200);
    assert_eq!(world.try_refresh(&elsewhere.refresh).await.status, 200);
    let unknown = world
        .api
        .call(Method::POST, "/api/auth/logout")
        .send()
        .await;
    assert_eq!(unknown.refusal(), (401, "UNAUTHENTICATED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_out_everywhere_ends_the_newest_session_too_and_nobody_elses() {
    let world = World::start().await;
    let first = world.kim().await;
    world.register("lee@example.com").await;
    let lee = world.log_in("lee@example.com").await;
    let second = world.log_in(EMAIL).await;
    let newest = world.log_in(EMAIL).await;
    let call = world.api.call(Method::POST, "/api/auth/logout?all=true");
    let reply = call.bearer(&second.access).send().await;
    let ended = reply.data()["sessionIds"].as_array().unwrap();
    assert_eq!(ended.len(), 3);
    for session in [&first, &second, &newest] {
        assert!(ended.contains(&session.session.clone().into()));
        world.until_refused(&session.access).await;
        let refreshed = world.try_refresh(&session.refresh).await;
        assert_eq!(refreshed.refusal(), (401, "UNAUTHENTICATED"));
    }
    assert_eq!(world.me(&lee.access).await.status, 200);
}
