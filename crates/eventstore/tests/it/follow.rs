//! Following a stream.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doran_eventstore::topology::ApplyOptions;
use doran_eventstore::{Follow, LogChanged, Logs, Recorded, Start};
use futures_util::StreamExt;
use uuid::Uuid;

use crate::fixture::{Fixture, context, rename, run, topology};

async fn next(follow: &mut Follow) -> Result<Arc<Recorded>, LogChanged> {
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

/// Three who follow one stream of a process: all of it, a part, and from its middle on.
fn three(logs: &Logs) -> [Follow; 3] {
    let reader = logs.reader("ACCOUNT");
    let renamed = vec!["account.*.Renamed".to_owned()];
    [
        reader.follow(Vec::new(), Start::Sequence(1)),
        reader.follow(renamed, Start::Sequence(1)),
        reader.follow(Vec::new(), Start::Sequence(3)),
    ]
}

/// How far each consumer of the stream is.
async fn consumers(fixture: &Fixture) -> BTreeMap<String, u64> {
    let stream = fixture.js.get_stream("ACCOUNT").await.unwrap();
    let infos = stream.consumers().map(|info| {
        let info = info.unwrap();
        (info.name, info.delivered.consumer_sequence)
    });
    infos.collect().await
}

/// Publishes until the server delivers to one consumer only; those that nobody reads from any more
/// are still there.
async fn until_shared(fixture: &Fixture, followers: &mut [Follow]) -> u64 {
    for _ in 0..200 {
        let before = consumers(fixture).await;
        publish(fixture, 1).await;
        let head = fixture.reader().head().await.unwrap();
        for follow in &mut *followers {
            while next(follow).await.unwrap().sequence < head {}
        }
        let after = consumers(fixture).await;
        let moved = after
            .iter()
            .filter(|(name, at)| before.get(*name) != Some(at));
        if moved.count() == 1 {
            return head;
        }
    }
    panic!("each still reads for itself");
}

#[tokio::test]
async fn followers_of_one_process_read_what_is_new_from_the_server_once() {
    let fixture = Fixture::start().await;
    publish(&fixture, 5).await;
    let logs = Logs::new(fixture.js.clone());
    let [mut all, mut renamed, mut late] = three(&logs);
    assert_eq!(sequences(&mut all, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(sequences(&mut renamed, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(sequences(&mut late, 3).await, [3, 4, 5]);

    let mut followers = [all, renamed, late];
    let head = until_shared(&fixture, &mut followers).await;
    fixture.open("9", "z").await;
    publish(&fixture, 1).await;
    let [mut all, mut renamed, mut late] = followers;
    let (opened, claimed, last) = (head + 1, head + 2, head + 4);
    assert_eq!(sequences(&mut all, 2).await, [opened, claimed]);
    assert_eq!(sequences(&mut late, 2).await, [opened, claimed]);
    assert_eq!(sequences(&mut renamed, 1).await, [last]);
}

#[tokio::test]
async fn who_falls_behind_the_others_misses_nothing() {
    let fixture = Fixture::start().await;
    let logs = Logs::new(fixture.js.clone());
    publish(&fixture, 3).await;
    let mut followers = three(&logs);
    let head = until_shared(&fixture, &mut followers).await;
    let [mut all, _renamed, mut late] = followers;

    // More than is kept for whoever is slow.
    publish(&fixture, 1500).await;
    let expected: Vec<_> = (head + 1..=head + 1500).collect();
    assert_eq!(sequences(&mut all, 1500).await, expected);
    publish(&fixture, 10).await;
    let expected: Vec<_> = (head + 1..=head + 1510).collect();
    assert_eq!(sequences(&mut late, 1510).await, expected);
    assert_eq!(sequences(&mut all, 10).await, expected[1500..]);
}

#[tokio::test]
async fn a_server_that_is_killed_costs_those_who_share_nothing() {
    let fixture = Fixture::start().await;
    let logs = Logs::new(fixture.js.clone());
    publish(&fixture, 3).await;
    let mut followers = three(&logs);
    let mut head = until_shared(&fixture, &mut followers).await;
    for _ in 0..2 {
        fixture.nats.kill().await;
        fixture.nats.resume().await;
        fixture.js.client().flush().await.unwrap();
        publish(&fixture, 20).await;
        for follow in &mut followers {
            let expected: Vec<_> = (head + 1..=head + 20).collect();
            assert_eq!(sequences(follow, 20).await, expected);
        }
        head += 20;
    }
}

#[tokio::test]
async fn a_log_that_was_made_anew_ends_the_following_of_all_who_share() {
    let fixture = Fixture::start().await;
    let logs = Logs::new(fixture.js.clone());
    publish(&fixture, 3).await;
    let mut followers = three(&logs);
    let head = until_shared(&fixture, &mut followers).await;
    fixture.js.delete_stream("ACCOUNT").await.unwrap();
    let anew = ApplyOptions {
        replicas: None,
        incarnation: Uuid::from_u128(2),
    };
    topology().apply(&fixture.js, anew).await.unwrap();
    publish(&fixture, usize::try_from(head).unwrap() + 5).await;
    for follow in &mut followers {
        let changed = next(follow).await.unwrap_err();
        assert!(matches!(changed, LogChanged::Incarnation { stream } if stream == "ACCOUNT"));
    }
    let mut anew = logs
        .reader("ACCOUNT")
        .follow(Vec::new(), Start::Sequence(1));
    assert_eq!(sequences(&mut anew, 2).await, [1, 2]);
}

#[tokio::test]
async fn those_who_go_in_step_read_the_past_once_and_wait_for_the_slowest() {
    let fixture = Fixture::start().await;
    publish(&fixture, 3000).await;
    let logs = Logs::in_step(fixture.js.clone());
    let reader = logs.reader("ACCOUNT");
    let [mut quick, mut slow] = [1, 1].map(|from| reader.follow(Vec::new(), Start::Sequence(from)));
    assert_eq!(sequences(&mut quick, 1).await, [1]);
    assert_eq!(sequences(&mut slow, 1).await, [1]);
    let expected: Vec<_> = (2..=1000).collect();
    assert_eq!(sequences(&mut quick, 999).await, expected);
    let ahead = async { while next(&mut quick).await.unwrap().sequence < 3000 {} };
    let waits = tokio::time::timeout(Duration::from_millis(1500), ahead).await;
    assert!(waits.is_err(), "nobody waited for the slow one");

    assert_eq!(consumers(&fixture).await.len(), 1);
    let expected: Vec<_> = (2..=3000).collect();
    let (slow, ()) = tokio::join!(sequences(&mut slow, 2999), async {
        while next(&mut quick).await.unwrap().sequence < 3000 {}
    });
    assert_eq!(slow, expected);
}
