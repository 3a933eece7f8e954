//! Rate limits, with Redis and without.

use std::time::Duration;

use doran_gateway::Timing;
use doran_testkit::TestRedis;
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use crate::world::{Person, Setup, World};

async fn limited(redis: &TestRedis) -> World {
    World::with(Setup {
        redis_url: Some(redis.url().to_owned()),
        // A busy machine is no reason to do without Redis.
        timing: Timing {
            redis: Duration::from_secs(5),
            ..Timing::default()
        },
        ..Setup::default()
    })
    .await
}

/// How many of so many requests at once pass.
async fn passed(world: &World, path: &str, person: Option<&Person>, times: usize) -> usize {
    let http = Client::new();
    let calls = (0..times).map(|_| {
        let call = http.get(world.url(path));
        match person {
            Some(person) => call.bearer_auth(&person.token),
            None => call,
        }
        .send()
    });
    let answers = futures_util::future::join_all(calls).await;
    let passed = |answer: &Result<reqwest::Response, _>| {
        answer.as_ref().unwrap().status() != StatusCode::TOO_MANY_REQUESTS
    };
    answers.iter().filter(|answer| passed(answer)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_of_routes_has_one_limit_for_each_user_and_each_address() {
    let redis = TestRedis::database().await;
    let world = limited(&redis).await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let took = Instant::now();
    let first = passed(&world, "/api/auth/health", Some(&one), 60).await;
    let most = 21 + usize::try_from(took.elapsed().as_millis() / 100).unwrap();
    assert!((20..=most).contains(&first), "{first} of a burst of 20");
    for (path, person) in [
        ("/api/auth/health", Some(&other)),
        ("/api/auth/health", None),
        ("/api/chat/health", Some(&one)),
    ] {
        assert_eq!(passed(&world, path, person, 10).await, 10, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_says_when_to_come_back() {
    let redis = TestRedis::database().await;
    let world = limited(&redis).await;
    let http = Client::new();
    let url = world.url("/api/users/check-email/a@example.com");
    let first = http.get(&url).send().await.unwrap();
    assert_eq!(first.headers()["ratelimit-limit"], "10");
    assert_eq!(first.headers()["ratelimit-remaining"], "9");
    passed(&world, "/api/users/check-email/a@example.com", None, 40).await;
    let refused = http.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["ratelimit-remaining"], "0");
    let body: serde_json::Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(body["errorCode"], "RATE_LIMITED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_that_write_share_the_limit_of_the_chat_routes() {
    let redis = TestRedis::database().await;
    let world = limited(&redis).await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    passed(&world, "/api/chat/health", Some(&person), 60).await;
    let mut refused = None;
    for n in 0..100 {
        let answer = client
            .ask(
                json!({ "type": "send", "roomId": room, "clientMessageId": format!("m-{n}"),
                         "content": "x" }),
            )
            .await;
        if answer["type"] == "error" {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a hundred messages do not pass at once");
    assert_eq!(refused["code"], "RATE_LIMITED");
    assert_eq!(refused["retryable"], true);
    let after = Duration::from_millis(refused["afterMs"].as_u64().unwrap());
    assert!(after > Duration::ZERO && after < Duration::from_secs(1));
    tokio::time::sleep(after).await;
    let again = json!({ "type": "send", "roomId": room, "clientMessageId": "z", "content": "x" });
    assert_eq!(client.ask(again).await["type"], "ack");
    // Who only listens has no limit.
    for _ in 0..100 {
        client.nothing_came().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn history_has_the_limit_of_its_route() {
    let redis = TestRedis::database().await;
    let world = limited(&redis).await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    passed(&world, "/api/chat/health", Some(&person), 60).await;
    let mut codes = Vec::new();
    for _ in 0..100 {
        let answer = client
            .ask(json!({ "type": "history", "roomId": room, "limit": 20 }))
            .await;
        codes.push(answer["code"].clone());
    }
    assert!(codes.contains(&json!("RATE_LIMITED")), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_redis_each_gateway_keeps_a_stricter_limit_and_nobody_waits() {
    let redis = TestRedis::start().await;
    let world = limited(&redis).await;
    let person = world.person("a").await;
    assert_eq!(
        passed(&world, "/api/auth/health", Some(&person), 1).await,
        1
    );
    redis.stop().await;
    passed(&world, "/api/auth/health", None, 1).await;
    let took = Instant::now();
    let first = passed(&world, "/api/auth/health", Some(&person), 40).await;
    let elapsed = took.elapsed();
    let most = 11 + usize::try_from(elapsed.as_millis() / 200).unwrap();
    assert!((10..=most).contains(&first), "{first} of a burst of 10");
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    let ready = Client::new()
        .get(world.url("/health/ready"))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(ready.text().await.unwrap().contains("DEGRADED"));

    redis.resume().await;
    let back = async {
        let http = Client::new();
        loop {
            let url = world.url("/api/users/health");
            let answer = http.get(url).send().await.unwrap();
            if answer.headers()["ratelimit-limit"] == "40" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), back)
        .await
        .unwrap();
}
