//! A nats-server that goes away and comes back.

use std::time::Duration;

use async_nats::connection::State;
use doran_eventstore::{AppendError, ExecuteError, Lane, NewEvent};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    account::Command,
    fixture::{Fixture, context, eventually, rename, run},
};

#[tokio::test]
async fn while_nats_is_away_commands_end_in_bounded_time_and_resume_by_themselves() {
    let fixture = Fixture::start().await;
    let store = fixture.store();
    fixture.open("1", "a").await;
    run(&store, "1", rename("one"), &context(1)).await.unwrap();
    fixture.nats.stop().await;
    let client = fixture.js.client();
    eventually("the client notices", async || {
        client.connection_state() != State::Connected
    })
    .await;

    let begun = Instant::now();
    let cached = run(&store, "1", rename("two"), &context(2)).await;
    assert!(
        matches!(cached, Err(ExecuteError::Unavailable(_))),
        "{cached:?}"
    );
    let cold = run(&fixture.store(), "1", rename("two"), &context(2)).await;
    assert!(
        matches!(cold, Err(ExecuteError::Unavailable(_))),
        "{cold:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "{:?}",
        begun.elapsed()
    );

    fixture.nats.resume().await;
    eventually("the client is back", async || {
        client.connection_state() == State::Connected
    })
    .await;
    let again = run(&store, "1", rename("two"), &context(2)).await.unwrap();
    assert_eq!(again.aggregate.names, ["one", "two"]);
}

#[tokio::test]
async fn a_server_that_is_killed_under_load_loses_and_doubles_no_command() {
    let fixture = Fixture::start().await;
    let store = fixture.store();
    fixture.open("1", "a").await;
    let writing = async {
        let mut acknowledged = Vec::new();
        for number in 0..120_u128 {
            // As a caller would: the same command again until there is an answer.
            let ctx = context(number);
            let deadline = Instant::now() + Duration::from_secs(30);
            loop {
                match run(&store, "1", rename(number), &ctx).await {
                    Ok(_) => break acknowledged.push(number.to_string()),
                    Err(ExecuteError::Unavailable(_) | ExecuteError::FateUnknown)
                        if Instant::now() < deadline => {}
                    Err(error) => panic!("{number}: {error:?}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acknowledged
    };
    let killing = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            fixture.nats.restart().await;
        }
    };
    let (acknowledged, ()) = tokio::join!(writing, killing);
    let loaded = fixture.store().load("1").await.unwrap().unwrap();
    assert_eq!(loaded.aggregate.names, acknowledged);
}

#[tokio::test]
async fn while_nats_is_away_a_lane_says_so_and_resumes_by_itself() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let event = |id| NewEvent {
        subject: "account.1.Renamed".to_owned(),
        event_type: "Renamed",
        version: 2,
        event_id: Uuid::from_u128(id),
        body: r#"{"name":"x"}"#.into(),
        ctx: &ctx,
    };
    lane.append(event(1)).await.unwrap();
    fixture.nats.kill().await;
    let client = fixture.js.client();
    eventually("the client notices", async || {
        client.connection_state() != State::Connected
    })
    .await;
    let begun = Instant::now();
    let away = lane.append(event(2)).await;
    assert!(matches!(away, Err(AppendError::Unavailable(_))), "{away:?}");
    assert!(begun.elapsed() < Duration::from_secs(6));

    fixture.nats.resume().await;
    eventually("the client is back", async || {
        client.connection_state() == State::Connected
    })
    .await;
    assert_eq!(lane.append(event(2)).await.unwrap().sequence, 2);
}

#[tokio::test]
async fn a_log_that_lost_events_this_process_has_seen_is_read_again_and_not_extended_blindly() {
    let fixture = Fixture::start().await;
    let store = fixture.store();
    fixture.open("1", "a").await;
    run(&store, "1", rename("one"), &context(1)).await.unwrap();
    run(&store, "1", rename("two"), &context(2)).await.unwrap();
    let last = fixture.reader().last("account.1.*").await.unwrap().unwrap();
    let stream = fixture.js.get_stream("ACCOUNT").await.unwrap();
    stream.delete_message(last.sequence).await.unwrap();

    // What the cache believes is not true any more, neither for a refusal nor for an append.
    let renamed = run(&store, "1", rename("three"), &context(3))
        .await
        .unwrap();
    assert_eq!(renamed.aggregate.names, ["one", "three"]);
    let loaded = fixture.store().load("1").await.unwrap().unwrap();
    assert_eq!(loaded.aggregate.names, ["one", "three"]);
    let again = run(&store, "1", Command::Open { address: "b" }, &context(4)).await;
    assert!(matches!(again, Err(ExecuteError::Refused(_))));
}
