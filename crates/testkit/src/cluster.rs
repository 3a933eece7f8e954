//! Three nats-servers of the test's own.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions, jetstream};
use doran_supervisor::data::DataFolder;
use doran_supervisor::environment::Variables;
use doran_supervisor::programs::Program;
use doran_supervisor::servers::{NatsCluster, NatsUser, Server, Sync};
use tokio::time::{Instant, sleep};

use crate::{blocking, must, shared};

const NODES: usize = 3;
/// Elections take up to ten seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(40);
const GLANCE: Duration = Duration::from_millis(50);

/// A cluster with the project's `nats-cluster.conf` and an empty store. It ends when this is
/// dropped. A killed node keeps its data and ports.
pub struct TestCluster {
    urls: Vec<String>,
    password: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    cluster: NatsCluster,
    /// After the servers, which write into them until they end.
    _data: Vec<DataFolder>,
}

impl TestCluster {
    /// Three nodes that have found each other.
    pub async fn start() -> Self {
        Self::start_with(|_node| Sync::Always).await
    }

    /// Three nodes, the first of which has so much room.
    pub async fn with_room_on_the_first(bytes: u64) -> Self {
        Self::start_with(move |node| match node {
            0 => Sync::AlwaysWithin { bytes },
            _ => Sync::Always,
        })
        .await
    }

    async fn start_with(sync: impl Fn(usize) -> Sync + Send + 'static) -> Self {
        let cluster = blocking("nats-cluster", move || {
            let data = (0..NODES).map(|_| DataFolder::temporary());
            let data = data.collect::<Result<Vec<_>>>()?;
            let program = shared::program(Program::Nats)?;
            let logs = data.first().context("a cluster without nodes")?.path();
            let cluster = NatsCluster::start(&program, &data, logs, sync)?;
            let url = |node: &Server| format!("nats://127.0.0.1:{}", node.port());
            Ok(Self {
                urls: cluster.nodes.iter().map(url).collect(),
                password: cluster.password(NatsUser::All).to_owned(),
                inner: Arc::new(Mutex::new(Inner {
                    cluster,
                    _data: data,
                })),
            })
        })
        .await;
        let js = jetstream::new(cluster.client().await);
        eventually("the cluster has a leader", async || {
            js.query_account().await.is_ok()
        })
        .await;
        cluster
    }

    /// `NATS_URL` of all nodes, user and password, as `doran` takes them from its environment.
    pub fn variables(&self) -> Variables {
        [
            ("NATS_URL", self.urls.join(",")),
            ("NATS_USER", NatsUser::All.name().to_owned()),
            ("NATS_PASSWORD", self.password.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A connection of the user who may do everything, to whichever node is there.
    pub async fn client(&self) -> Client {
        let options =
            ConnectOptions::with_user_and_password("all".to_owned(), self.password.clone());
        let connected = options.connect(self.urls.as_slice()).await;
        must(
            "connection to the cluster",
            connected.map_err(anyhow::Error::from),
        )
    }

    /// Makes the first node the leader of a stream.
    pub async fn let_the_first_lead(&self, js: &jetstream::Context, stream: &str) {
        let first = self.change(|cluster| Ok(cluster.nodes.first().map(name)));
        let first = must(
            "a first node",
            first.await.context("a cluster without nodes"),
        );
        let request = serde_json::json!({ "placement": { "preferred": first } }).to_string();
        eventually("the first node leads", async || {
            let subject = format!("$JS.API.STREAM.LEADER.STEPDOWN.{stream}");
            let asked = js.client().request(subject, request.clone().into()).await;
            asked.is_ok() && leader(js, stream).await.is_ok_and(|name| name == first)
        })
        .await;
    }

    /// Kills the node that leads a stream and says which one that was.
    pub async fn kill_leader(&self, js: &jetstream::Context, stream: &str) -> usize {
        let leader = must("the stream's leader", leader(js, stream).await);
        self.change(move |cluster| {
            let is_leader = |node: &Server| leader == name(node);
            let node = cluster.nodes.iter().position(is_leader);
            let node = node.with_context(|| format!("there is no node {leader}"))?;
            cluster.nodes.get_mut(node).map(Server::kill);
            Ok(node)
        })
        .await
    }

    /// Waits until another node than a killed one leads a stream.
    pub async fn has_another_leader(&self, node: usize, js: &jetstream::Context, stream: &str) {
        let gone = self.change(move |cluster| Ok(cluster.nodes.get(node).map(name)));
        let gone = gone.await;
        eventually("the stream has another leader", async || {
            leader(js, stream)
                .await
                .is_ok_and(|name| Some(name) != gone)
        })
        .await;
    }

    /// Starts a killed node again, and waits until it has caught up with a stream.
    pub async fn resume(&self, node: usize, js: &jetstream::Context, stream: &str) {
        self.change(move |cluster| {
            cluster
                .nodes
                .get_mut(node)
                .context("no such node")?
                .resume()
        })
        .await;
        eventually("the node has caught up", async || {
            is_whole(js, stream).await.unwrap_or(false)
        })
        .await;
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut NatsCluster) -> Result<T> + Send + 'static,
    ) -> T {
        let inner = Arc::clone(&self.inner);
        blocking("nats-cluster", move || change(&mut lock(&inner).cluster)).await
    }
}

async fn leader(js: &jetstream::Context, stream: &str) -> Result<String> {
    let info = js.get_stream(stream).await?.get_info().await?;
    let leader = info.cluster.and_then(|cluster| cluster.leader);
    leader.context("nobody leads the stream")
}

fn name(node: &Server) -> String {
    format!("doran-{}", node.port())
}

/// Whether every replica has all that the leader has.
async fn is_whole(js: &jetstream::Context, stream: &str) -> Result<bool> {
    let info = js.get_stream(stream).await?.get_info().await?;
    let replicas = info.cluster.context("no cluster")?.replicas;
    Ok(replicas.len() == NODES - 1 && replicas.iter().all(|peer| peer.current && !peer.offline))
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        let waited = begun.elapsed();
        let result = (waited < PATIENCE).then_some(());
        must(what, result.context("waited for too long"));
        sleep(GLANCE).await;
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
