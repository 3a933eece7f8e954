//! `POST /api/auth/refresh`.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::world::{World, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_exchanged_for_another_of_the_same_session() {
    let world = World::start().await;
    let first = world.kim().await;
    world.clock.advance(Duration::from_mins(4));
    let second = tokens(&world.try_refresh(&first.refresh).await);
    assert_eq!(second.session, first.session);
    assert_ne!(second.refresh, first.refresh);
    let me = world.me(&second.access).await;
    assert_eq!(me.data()["lastConnTime"], json!("2026-03-01T09:04:00.000Z"));
    world.clock.advance(Duration::from_mins(4));
    assert_eq!(
        world.me(&first.access).await.refusal(),
        (401, "TOKEN_EXPIRED")
    );
    assert_eq!(world.try_refresh(&second.refresh).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_within_ten_seconds() {
    let world = World::start().await;
    let first = world.kim().await;
    let lost = tokens(&world.try_refresh(&first.refresh).await);
    world.clock.advance(Duration::from_secs(9));
    let second = tokens(&world.try_refresh(&first.refresh).await);
    assert_ne!(second.refresh, lost.refresh);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.try_refresh(&second.refresh).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_token_ends_the_session_for_everybody_who_holds_one() {
    let world = World::start().await;
    let first = world.kim().await;
    let second = tokens(&world.try_refresh(&first.refresh).await);
    world.clock.advance(Duration::from_secs(11));
    assert_eq!(world.me(&second.access).await.status, 200);
    assert_eq!(
        world.try_refresh(&first.refresh).await.refusal(),
        (401, "UNAUTHENTICATED")
    );
    assert_eq!(
        world.try_refresh(&second.refresh).await.refusal(),
        (401, "UNAUTHENTICATED")
    );
    world.until_refused(&second.access).await;
    let events = world.session_events().await;
    assert!(
        events.last().unwrap().contains("tokenReused"),
        "{events:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_who_refresh_one_token_at_once_over_two_processes_all_go_on() {
    let world = World::start().await;
    let first = world.kim().await;
    let apis = [world.api.clone(), world.second().await];
    let body = json!({ "refreshToken": first.refresh });
    let sends = (0..20).map(|number| {
        let call = apis[number % 2].post("/api/auth/refresh", &body);
        call.send()
    });
    let given: Vec<_> = join_all(sends).await.iter().map(tokens).collect();
    for tokens in &given {
        assert_eq!(world.me(&tokens.access).await.status, 200);
    }
    world.clock.advance(Duration::from_mins(1));
    // Whichever answer came last to the tabs' shared storage.
    assert_eq!(world.try_refresh(&given[7].refresh).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_issued_is_refused_and_harms_no_session() {
    let world = World::start().await;
    let given = world.kim().await;
    let (session, secret) = given.refresh.split_once('.').unwrap();
    let mut altered = secret.to_owned();
    altered.replace_range(0..1, if secret.starts_with('A') { "B" } else { "A" });
    for forged in [
        String::new(),
        "nonsense".to_owned(),
        given.access.clone(),
        format!("{session}.{altered}"),
        format!("{session}.{}", "A".repeat(64)),
        format!("00000000-0000-0000-0000-000000000001.{secret}"),
    ] {
        let reply = world.try_refresh(&forged).await;
        assert_eq!(reply.refusal(), (401, "UNAUTHENTICATED"), "{forged}");
    }
    assert_eq!(world.try_refresh(&given.refresh).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_used_for_thirty_days_is_over() {
    let world = World::start().await;
    let given = world.kim().await;
    world.clock.advance(Duration::from_hours(30 * 24 + 1));
    let reply = world.try_refresh(&given.refresh).await;
    assert_eq!(reply.refusal(), (401, "UNAUTHENTICATED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_with_a_key_is_answered_again_and_not_for_another_token() {
    let world = World::start().await;
    let given = world.kim().await;
    let send = async |token: &str| {
        let call = world
            .api
            .post("/api/auth/refresh", &json!({ "refreshToken": token }));
        call.header("idempotency-key", "one").send().await
    };
    let first = tokens(&send(&given.refresh).await);
    assert_eq!(tokens(&send(&given.refresh).await).session, given.session);
    assert_eq!(
        send(&first.refresh).await.refusal(),
        (409, "IDEMPOTENCY_MISMATCH")
    );
    let elsewhere = world.log_in(crate::world::EMAIL).await;
    assert_eq!(send(&elsewhere.refresh).await.status, 200);
}
