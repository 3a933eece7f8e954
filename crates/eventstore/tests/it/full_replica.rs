//! A node of a cluster whose store is full: it answers with what it had, and gives nothing new.

use std::time::Duration;

use async_nats::jetstream;
use doran_eventstore::{LogReader, Start, topology::ApplyOptions};
use doran_testkit::TestCluster;
use futures_util::{StreamExt, future::join_all};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::fixture::topology;

const STREAM: &str = "ACCOUNT";
const ROOM: u64 = 4 << 20;
const BODY: usize = 32 << 10;
/// Half as much again as there is room for on the first node.
const EVENTS: u64 = 192;
/// The server puts each on one of three nodes.
const FOLLOWERS: usize = 9;
const PATIENCE: Duration = Duration::from_secs(45);

/// Writes until so many are acknowledged: while the leader changes, some are refused.
async fn write(js: &jetstream::Context, first: u64, last: u64) {
    let deadline = Instant::now() + PATIENCE;
    let body = bytes::Bytes::from(vec![b'x'; BODY]);
    for number in first..=last {
        loop {
            let sent = js.publish("account.1.Renamed", body.clone()).await.unwrap();
            let stored = sent.await;
            if stored
                .as_ref()
                .is_ok_and(|stored| stored.sequence >= number)
            {
                break;
            }
            assert!(Instant::now() < deadline, "{number}: {stored:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn who_reads_from_a_full_node_moves_to_another_and_is_told_the_truth() {
    let cluster = TestCluster::with_room_on_the_first(ROOM).await;
    let js = jetstream::new(cluster.client().await);
    let options = ApplyOptions {
        replicas: Some(3),
        incarnation: Uuid::from_u128(1),
    };
    topology().apply(&js, options).await.unwrap();
    cluster.let_the_first_lead(&js, STREAM).await;
    let reader = LogReader::new(js.clone(), STREAM);
    let follow = || reader.follow(Vec::new(), Start::Sequence(1));
    let mut followers: Vec<_> = (0..FOLLOWERS).map(|_| follow()).collect();
    write(&js, 1, 1).await;
    for follower in &mut followers {
        assert_eq!(follower.next().await.unwrap().unwrap().sequence, 1);
    }

    write(&js, 2, EVENTS).await;

    let reading = followers.iter_mut().map(async |follower| {
        let events = follower.take(usize::try_from(EVENTS).unwrap() - 1);
        let events: Vec<_> = events.collect().await;
        let sequences = events.into_iter().map(|event| event.unwrap().sequence);
        assert!(sequences.eq(2..=EVENTS), "none lost, doubled or reordered");
    });
    timeout(PATIENCE, join_all(reading)).await.unwrap();
    for _ in 0..20 {
        assert!(reader.head().await.unwrap() >= EVENTS);
        let last = reader.last_from_leader("account.1.>").await.unwrap();
        assert!(last.unwrap().sequence >= EVENTS);
    }
}
