//! Refusing to run on a server that is not what the files and the promises need.

use std::fmt;

use async_nats::{Client, jetstream};

use super::{Topology, TopologyError, sync};

/// Atomic batches, and a guard over several subjects that a batch keeps, came with 2.12; 2.14 is
/// the first version whose features are used.
const MINIMUM: &str = "2.14.0";

/// What a service insists on before it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// Instead of the files' `num_replicas`.
    pub replicas: Option<usize>,
    /// Run although acknowledged events may be lost when power fails.
    pub allow_unsynced: bool,
}

/// What an acknowledgement of the log means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every server that has the event has it on disk, synced.
    Fsync,
    /// Several servers have it, at least in their page caches.
    Replicated,
    /// One server has it in its page cache.
    Memory,
}

impl Topology {
    /// Refuses a server of another version, with other streams, or that acknowledges before fsync;
    /// else says what an acknowledgement means.
    pub async fn check(
        &self,
        js: &jetstream::Context,
        options: CheckOptions,
    ) -> Result<Durability, TopologyError> {
        let client = js.client();
        check_version(&client)?;
        let differences = self.diff(js, options.replicas).await?;
        if !differences.is_empty() {
            return Err(TopologyError::Differs(differences));
        }
        match check_sync(&client).await {
            Ok(()) => Ok(Durability::Fsync),
            Err(error) if !options.allow_unsynced => Err(error),
            Err(error) => {
                tracing::warn!(%error, "running all the same, as allowed");
                Ok(self.unsynced_durability(options.replicas))
            }
        }
    }

    /// The stream with the fewest replicas decides.
    fn unsynced_durability(&self, replicas: Option<usize>) -> Durability {
        let in_files = self
            .streams
            .iter()
            .map(|file| file.config.num_replicas)
            .min();
        match replicas.or(in_files) {
            Some(2..) => Durability::Replicated,
            _ => Durability::Memory,
        }
    }
}

fn check_version(client: &Client) -> Result<(), TopologyError> {
    if client.is_server_compatible(2, 14, 0) {
        return Ok(());
    }
    Err(TopologyError::ServerVersion {
        version: client.server_info().version,
        minimum: MINIMUM,
    })
}

async fn check_sync(client: &Client) -> Result<(), TopologyError> {
    let unsynced = sync::unsynced(client).await;
    let unsynced = unsynced.map_err(TopologyError::SyncIntervalUnknown)?;
    match unsynced.into_iter().next() {
        None => Ok(()),
        Some(sync::Unsynced { server, setting }) => {
            Err(TopologyError::Unsynced { server, setting })
        }
    }
}

impl fmt::Display for Durability {
    /// The word of an acknowledgement: `fsync`, `replicated` or `memory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fsync => "fsync",
            Self::Replicated => "replicated",
            Self::Memory => "memory",
        })
    }
}
