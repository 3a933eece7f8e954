//! The event store: executes commands on aggregates whose events live in JetStream.

mod cqrs;
mod decide;
mod execute;
mod load;
mod memory;
mod outcome;
mod snapshot;
mod state;

use std::{fmt, sync::Arc, time::Duration};

use async_nats::jetstream;
use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::{decide::token, snapshot::Snapshots};
pub use self::{
    memory::{MemoryLog, MemoryStore},
    snapshot::SnapshotPolicy,
    state::AggregateState,
};
use crate::{
    CommandContext, EventSourced, ExecuteError, LoadError, Loaded, LogReader, Outcome, Schema,
    append::guard_filter,
};

/// How many aggregates are kept in memory.
const CACHED_AGGREGATES: u64 = 10_000;
/// When the lock of an aggregate that nobody uses is forgotten.
const LOCK_IDLE: Duration = Duration::from_mins(1);

/// Executes commands on aggregates of one kind. Cheap to clone; clones share cache and locks.
pub struct JetStreamStore<A: EventSourced> {
    inner: Arc<Inner<A>>,
}

struct Inner<A: EventSourced> {
    js: jetstream::Context,
    reader: LogReader,
    schema: Schema,
    snapshots: Snapshots,
    /// States that were true once. The guard, not the cache, says whether they still are.
    cache: Cache<String, Arc<AggregateState<A>>>,
    /// Commands on one aggregate wait here for each other, instead of meeting as conflicts. A
    /// forgotten lock costs a conflict, not correctness.
    locks: Cache<String, Arc<Mutex<()>>>,
}

impl<A: EventSourced> JetStreamStore<A> {
    pub fn new(js: jetstream::Context) -> Self {
        Self::with_snapshot_policy(js, SnapshotPolicy::default())
    }

    /// A store that writes snapshots at other times than the usual ones.
    pub fn with_snapshot_policy(js: jetstream::Context, policy: SnapshotPolicy) -> Self {
        let locks = Cache::builder()
            .max_capacity(CACHED_AGGREGATES)
            .time_to_idle(LOCK_IDLE);
        Self {
            inner: Arc::new(Inner {
                reader: LogReader::new(js.clone(), A::STREAM),
                schema: A::schema(),
                snapshots: Snapshots::new(js.clone(), policy),
                cache: Cache::new(CACHED_AGGREGATES),
                locks: locks.build(),
                js,
            }),
        }
    }

    /// Executes a command once, however often it is sent, and says where its events lie.
    ///
    /// Ends within about 5 s. What the aggregate decides on may come from the cache; the guard of
    /// the append makes sure that it was the newest state, and before a refusal is given the stream's
    /// leader is asked whether it was decided on the newest state. A command is recognised by its id among the last 32 of the
    /// aggregate; one that led to no event is not remembered, and decided again.
    ///
    /// # Errors
    ///
    /// See [`ExecuteError`]. After [`ExecuteError::FateUnknown`] only the same command with the
    /// same id may be sent again.
    pub async fn execute(
        &self,
        services: &A::Services,
        id: &str,
        command: A::Command,
        ctx: &CommandContext,
    ) -> Result<Outcome<A>, ExecuteError<A::Error>>
    where
        A::Command: Clone + Send,
        A::Error: Send,
    {
        execute::execute(self, services, id, command, ctx).await
    }

    /// The aggregate as the log's tail has it; none when it has no event.
    ///
    /// One request to the leader where it is cached and unchanged. Each of its waits ends within
    /// 2 s.
    pub async fn load(&self, id: &str) -> Result<Option<Loaded<A>>, LoadError> {
        if token(id).is_err() {
            return Ok(None); // nothing can ever have been stored under it
        }
        let state = match self.cached(id) {
            Some(state) => Box::pin(self.newest(&state)).await?,
            None => Box::pin(self.load_newest(id)).await?,
        };
        self.remember(&state);
        let state = Arc::unwrap_or_clone(state);
        Ok((state.sequence > 0).then_some(Loaded {
            aggregate: state.aggregate,
            sequence: state.sequence,
        }))
    }

    fn filter(id: &str) -> String {
        guard_filter(A::TYPE, id)
    }

    fn cached(&self, id: &str) -> Option<Arc<AggregateState<A>>> {
        self.inner.cache.get(id)
    }

    /// Keeps a state, unless it is of an aggregate that does not exist: made-up ids must not push
    /// out real ones.
    fn remember(&self, state: &Arc<AggregateState<A>>) {
        if state.sequence > 0 {
            self.inner.cache.insert(state.id.clone(), Arc::clone(state));
        }
    }

    async fn lock(&self, id: &str) -> OwnedMutexGuard<()> {
        let lock = self.inner.locks.get_with_by_ref(id, Arc::default);
        lock.lock_owned().await
    }
}

impl<A: EventSourced> Clone for JetStreamStore<A> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<A: EventSourced> fmt::Debug for JetStreamStore<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamStore")
            .field("stream", &A::STREAM)
            .field("aggregate", &A::TYPE)
            .finish_non_exhaustive()
    }
}
