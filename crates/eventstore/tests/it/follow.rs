//! Following a stream.

use std::time::Duration;

use doran_eventstore::topology::ApplyOptions;
use doran_eventstore::{Follow, LogChanged, Recorded, Start};
use futures_util::StreamExt;
use uuid::Uuid;

use crate::fixture::{Fixture, context, rename, run, topology};

async fn next(follow: &mut Follow) -> Result<Recorded, LogChanged> {
    let next = tokio::time::timeout(Duration::from_secs(20), follow.next()).await;
    next.expect("an event comes in time")
        .expect("following does not end")
}

async fn sequences(follow: &mut Follow, count: usize) -> Vec<u64> {
    let mut sequences = Vec::new();
    for _ in 0..count {
        sequences.push(next(follow).await.unwrap().sequence);
    }
    sequences
}

async fn publish(fixture: &Fixture, count: usize) {
    for _ in 0..count {
        let sent = fixture
            .js
            .publish("account.1.Renamed", r#"{"name":"x"}"#.into());
        sent.await.unwrap().await.unwrap();
    }
}

#[tokio::test]
async fn following_gives_the_past_and_what_comes_in_stream_order() {
    let fixture = Fixture::start().await;
    publish(&fixture, 1200).await;
    let mut all = fixture.reader().follow(Vec::new(), Start::Sequence(1));
    assert_eq!(
        sequences(&mut all, 1200).await,
        (1..=1200).collect::<Vec<_>>()
    );
    let mut late = fixture.reader().follow(Vec::new(), Start::Sequence(1199));
    assert_eq!(sequences(&mut late, 2).await, [1199, 1200]);
    publish(&fixture, 3).await;
    assert_eq!(sequences(&mut all, 3).await, [1201, 1202, 1203]);
    assert_eq!(sequences(&mut late, 3).await, [1201, 1202, 1203]);
}

#[tokio::test]
async fn several_filters_are_followed_as_one_stream() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    fixture.open("2", "b").await;
    let filters = vec!["account.*.Opened".to_owned(), "claim.>".to_owned()];
    let mut follow = fixture.reader().follow(filters, Start::Sequence(1));
    assert_eq!(sequences(&mut follow, 4).await, [1, 2, 4, 5]);
}

#[tokio::test]
async fn following_can_begin_at_a_time() {
    let fixture = Fixture::start().await;
    publish(&fixture, 2).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    publish(&fixture, 1).await;
    // A message without `ce-time` has the server's time.
    let since = fixture.reader().get(3).await.unwrap().unwrap().time;
    let mut follow = fixture.reader().follow(Vec::new(), Start::Time(since));
    assert_eq!(sequences(&mut follow, 1).await, [3]);
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_costs_no_event_and_doubles_none() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let mut follow = fixture.reader().follow(Vec::new(), Start::Sequence(1));
    assert_eq!(sequences(&mut follow, 3).await, [1, 2, 3]);

    let mut expected = 4;
    for round in 0..3_u128 {
        fixture.nats.kill().await;
        fixture.nats.resume().await;
        for number in 0..20 {
            let ctx = context(round * 100 + number);
            while run(&store, "1", rename(ctx.command_id), &ctx)
                .await
                .is_err()
            {}
        }
        let head = fixture.reader().head().await.unwrap();
        let seen = sequences(&mut follow, usize::try_from(head + 1 - expected).unwrap()).await;
        assert_eq!(seen, (expected..=head).collect::<Vec<_>>());
        expected = head + 1;
    }
}

#[tokio::test]
async fn a_consumer_that_disappears_is_replaced() {
    let fixture = Fixture::start().await;
    publish(&fixture, 3).await;
    let mut follow = fixture.reader().follow(Vec::new(), Start::Sequence(1));
    assert_eq!(sequences(&mut follow, 3).await, [1, 2, 3]);
    let stream = fixture.js.get_stream("ACCOUNT").await.unwrap();
    let mut names = stream.consumer_names();
    while let Some(name) = names.next().await {
        stream.delete_consumer(&name.unwrap()).await.unwrap();
    }
    publish(&fixture, 2).await;
    assert_eq!(sequences(&mut follow, 2).await, [4, 5]);
}

#[tokio::test]
async fn a_log_that_was_made_anew_ends_the_following() {
    let fixture = Fixture::start().await;
    publish(&fixture, 3).await;
    let mut follow = fixture.reader().follow(Vec::new(), Start::Sequence(1));
    sequences(&mut follow, 3).await;
    fixture.js.delete_stream("ACCOUNT").await.unwrap();
    let anew = ApplyOptions {
        replicas: None,
        incarnation: Uuid::from_u128(2),
    };
    topology().apply(&fixture.js, anew).await.unwrap();
    publish(&fixture, 5).await;
    let changed = next(&mut follow).await.unwrap_err();
    assert!(matches!(changed, LogChanged::Incarnation { stream } if stream == "ACCOUNT"));
    assert!(follow.next().await.is_none());
}

#[tokio::test]
async fn a_log_that_is_shorter_than_what_was_read_ends_the_following() {
    let fixture = Fixture::start().await;
    publish(&fixture, 3).await;
    let mut follow = fixture.reader().follow(Vec::new(), Start::Sequence(5));
    let rewound = LogChanged::Rewound {
        stream: "ACCOUNT".to_owned(),
        head: 3,
        seen: 4,
    };
    assert_eq!(next(&mut follow).await.unwrap_err(), rewound);
    let mut at_the_end = fixture.reader().follow(Vec::new(), Start::Sequence(4));
    publish(&fixture, 1).await;
    assert_eq!(sequences(&mut at_the_end, 1).await, [4]);
}
