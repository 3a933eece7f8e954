//! A nats-server of the test's own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use async_nats::{Client, ConnectOptions, jetstream};
use doran_supervisor::data::DataFolder;
use doran_supervisor::environment::Variables;
use doran_supervisor::programs::Program;
use doran_supervisor::servers::{Nats, NatsUser, Sync};

use crate::{blocking, must, shared, streams};

/// One nats-server with the project's `nats.conf`, an empty store and a port of its own. It ends
/// when this is dropped. Stopped, it keeps its data, port and passwords.
pub struct TestNats {
    url: String,
    variables: Variables,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    nats: Nats,
    /// After the server, which writes into it until it ends.
    data: DataFolder,
}

impl TestNats {
    /// A server that acknowledges after fsync, as services demand.
    pub async fn start() -> Self {
        Self::start_with(Sync::Always).await
    }

    /// A server with another idea of what it acknowledges.
    pub async fn start_with(sync: Sync) -> Self {
        blocking("nats-server", move || {
            let data = DataFolder::temporary()?;
            let program = shared::program(Program::Nats)?;
            let nats = Nats::start(&program, &data, data.path(), sync)?;
            let (url, variables) = (nats.url(), nats.variables());
            Ok(Self {
                url,
                variables,
                inner: Arc::new(Mutex::new(Inner { nats, data })),
            })
        })
        .await
    }

    /// A server with every stream, lane and bucket of `streams/`.
    pub async fn with_streams() -> Self {
        let nats = Self::start().await;
        must("streams", streams::apply(&nats.jetstream().await).await);
        nats
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder in which it keeps its store and its log.
    pub fn folder(&self) -> PathBuf {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.data.path().to_owned()
    }

    /// `NATS_URL`, users and passwords, as `doran` takes them from its environment.
    pub fn variables(&self) -> Variables {
        self.variables.clone()
    }

    /// The password of a user of `nats.conf`.
    pub fn password(&self, user: NatsUser) -> String {
        lock(&self.inner).nats.password(user).to_owned()
    }

    /// Options for a client of your own making.
    pub fn options(&self, user: NatsUser) -> ConnectOptions {
        let name = user.name();
        ConnectOptions::with_user_and_password(name.to_owned(), self.password(user))
            .custom_inbox_prefix(inbox_prefix(user))
    }

    /// A new connection of the user who may do everything.
    pub async fn client(&self) -> Client {
        self.client_of(NatsUser::All).await
    }

    pub async fn client_of(&self, user: NatsUser) -> Client {
        let connected = self.options(user).connect(&self.url).await;
        must(
            "connection to nats-server",
            connected.map_err(anyhow::Error::from),
        )
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client().await)
    }

    /// Ends the server in order.
    pub async fn stop(&self) {
        self.change(|nats| {
            nats.server.stop();
            Ok(())
        })
        .await;
    }

    /// Ends the server as `kill -9` does.
    pub async fn kill(&self) {
        self.change(|nats| {
            nats.server.kill();
            Ok(())
        })
        .await;
    }

    /// Starts a stopped or killed server again.
    pub async fn resume(&self) {
        self.change(|nats| nats.server.resume()).await;
    }

    /// Kills the server and starts it again.
    pub async fn restart(&self) {
        self.change(|nats| {
            nats.server.kill();
            nats.server.resume()
        })
        .await;
    }

    async fn change(&self, change: impl FnOnce(&mut Nats) -> Result<()> + Send + 'static) {
        let inner = Arc::clone(&self.inner);
        blocking("nats-server", move || change(&mut lock(&inner).nats)).await;
    }
}

/// As `nats.conf` has it: the observer and the system user come with clients of others.
fn inbox_prefix(user: NatsUser) -> String {
    match user {
        NatsUser::Observer | NatsUser::System => "_INBOX".to_owned(),
        NatsUser::All
        | NatsUser::Auth
        | NatsUser::User
        | NatsUser::Chat
        | NatsUser::Gateway
        | NatsUser::Store
        | NatsUser::Batch => format!("_INBOX_{}", user.name()),
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
