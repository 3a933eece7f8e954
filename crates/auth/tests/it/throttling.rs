//! Waiting after failed log-ins: of an account, known or not, and of an address.

use std::time::Duration;

use doran_testkit::{Api, Reply};
use futures_util::future::join_all;
use serde_json::json;

use crate::world::{EMAIL, PASSWORD, World};

const WRONG: &str = "a wrong password";

async fn try_from(api: &Api, address: &str, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    let call = api.post("/api/auth/login", &body);
    call.header("x-forwarded-for", address).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_failures_an_account_waits_twice_as_long_each_time_known_or_not() {
    let world = World::start().await;
    world.register(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..5 {
            let reply = world.try_log_in(email, WRONG).await;
            assert_eq!(reply.refusal(), (401, "INVALID_CREDENTIALS"), "{email}");
        }
        for wait in ["1", "2", "4"] {
            let refused = world.try_log_in(email, PASSWORD).await;
            assert_eq!(refused.refusal(), (429, "RATE_LIMITED"), "{email}");
            assert_eq!(refused.header("retry-after"), wait, "{email}");
            world
                .clock
                .advance(Duration::from_secs(wait.parse().unwrap()));
            assert_eq!(world.try_log_in(email, WRONG).await.status, 401, "{email}");
        }
    }
    world.clock.advance(Duration::from_secs(8));
    assert_eq!(world.try_log_in(EMAIL, PASSWORD).await.status, 200);
    for _ in 0..5 {
        assert_eq!(world.try_log_in(EMAIL, WRONG).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_guesses_at_once_over_two_processes_are_no_more_than_five() {
    let world = World::start().await;
    world.register(EMAIL).await;
    let apis = [world.api.clone(), world.second().await];
    let guesses = (0..100).map(|number| {
        let address = format!("192.0.2.{number}");
        let api = apis[number % 2].clone();
        async move { try_from(&api, &address, EMAIL, WRONG).await.status }
    });
    let statuses = join_all(guesses).await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..=5).contains(&looked_at), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [401, 429].contains(status)),
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_fifty_failures_at_any_accounts_an_address_waits_and_its_neighbour_does_not() {
    let world = World::start().await;
    world.register(EMAIL).await;
    let address = "2001:db8:1:2::1";
    for number in 0..50 {
        let email = format!("nobody{number}@example.com");
        let reply = try_from(&world.api, address, &email, WRONG).await;
        assert_eq!(reply.status, 401, "{number}");
    }
    let same_network = "2001:db8:1:2:ffff::9";
    let refused = try_from(&world.api, same_network, EMAIL, PASSWORD).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED"));
    let elsewhere = try_from(&world.api, "2001:db8:1:3::1", EMAIL, PASSWORD).await;
    assert_eq!(elsewhere.status, 200);
    world.clock.advance(Duration::from_secs(1));
    let again = try_from(&world.api, address, EMAIL, PASSWORD).await;
    assert_eq!(again.status, 200);
    let guess = try_from(&world.api, address, "nobody@example.com", WRONG).await;
    assert_eq!(guess.status, 401);
    let refused = try_from(&world.api, address, EMAIL, PASSWORD).await;
    assert_eq!(
        refused.status, 429,
        "one right password forgives no other failure"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_names_neither_accounts_nor_addresses() {
    let world = World::start().await;
    try_from(&world.api, "192.0.2.77", EMAIL, WRONG).await;
    let bucket = world.platform.js.get_key_value("LOGIN_ATTEMPT").await;
    let mut keys = bucket.unwrap().keys().await.unwrap();
    let mut count = 0;
    while let Some(key) = futures_util::StreamExt::next(&mut keys).await {
        let key = key.unwrap();
        assert!(!key.contains("192.0.2") && !key.contains("kim"), "{key}");
        count += 1;
    }
    assert_eq!(count, 2);
}
