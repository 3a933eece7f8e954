//! Three nats-servers with three replicas.

use std::time::Duration;

use async_nats::jetstream;
use doran_eventstore::{
    JetStreamStore, LogReader, Recorded, SnapshotPolicy, topology::ApplyOptions,
};
use doran_testkit::TestCluster;
use tokio::time::Instant;
use uuid::Uuid;

use super::{World, node::Patient};
use crate::fixture::{eventually, topology};

const STREAM: &str = "ACCOUNT";
/// What is written before the first leader is killed.
const FIRST_EVENTS: u64 = 4;
/// How long a promise may take while leaders come and go.
const LIMIT: Duration = Duration::from_secs(50);

pub(super) struct Cluster {
    nodes: TestCluster,
    js: jetstream::Context,
}

impl Cluster {
    pub(super) async fn start() -> Self {
        let nodes = TestCluster::start().await;
        let js = jetstream::new(nodes.client().await);
        let cluster = Self { nodes, js };
        cluster.apply().await;
        cluster
    }

    /// Makes an empty log.
    pub(super) async fn begin_anew(&mut self) {
        for stream in topology().streams {
            self.js.delete_stream(stream.name()).await.unwrap();
        }
        self.apply().await;
    }

    /// Runs a case while one leader after the other is killed, each restarted before the next.
    pub(super) async fn while_leaders_are_killed(&self, case: impl Future<Output = ()>) {
        let mut killed = 0;
        let killing = async {
            eventually("the case has begun to write", async || {
                self.reader()
                    .head()
                    .await
                    .is_ok_and(|head| head >= FIRST_EVENTS)
            })
            .await;
            loop {
                let node = self.nodes.kill_leader(&self.js, STREAM).await;
                killed += 1;
                self.nodes.has_another_leader(node, &self.js, STREAM).await;
                self.nodes.resume(node, &self.js, STREAM).await;
            }
        };
        let begun = Instant::now();
        tokio::select! {
            () = case => {}
            () = killing => {}
            () = tokio::time::sleep(LIMIT) => panic!("no end after {:?}", begun.elapsed()),
        }
        assert!(killed > 0, "the case ended before a leader could be killed");
    }

    async fn apply(&self) {
        let options = ApplyOptions {
            replicas: Some(3),
            incarnation: Uuid::from_u128(1),
        };
        topology().apply(&self.js, options).await.unwrap();
    }

    fn reader(&self) -> LogReader {
        LogReader::new(self.js.clone(), STREAM)
    }
}

impl World for Cluster {
    type Store = Patient;

    fn store(&self) -> Self::Store {
        let never = SnapshotPolicy {
            after_events: usize::MAX,
            after: Duration::MAX,
        };
        Patient(JetStreamStore::with_snapshot_policy(self.js.clone(), never))
    }

    async fn events(&self) -> Vec<Recorded> {
        let begun = Instant::now();
        let head = loop {
            match self.reader().head().await {
                Ok(head) => break head,
                Err(error) => assert!(begun.elapsed() < LIMIT, "{error}"),
            }
        };
        loop {
            // A replica may be behind.
            match self.reader().read(">", 1, usize::MAX).await {
                Ok(events) if events.last().map_or(0, |last| last.sequence) >= head => {
                    return events;
                }
                _ => assert!(begun.elapsed() < LIMIT, "the log cannot be read"),
            }
        }
    }
}
