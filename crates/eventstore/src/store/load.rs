//! Reading aggregates from the log, and catching up with it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{AggregateState, JetStreamStore};
use crate::{EventSourced, LoadError, ReadError, Recorded};

/// How many events are read at once.
const PAGE: usize = 500;

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Cheap, and on a replica set perhaps a moment behind.
    AnyReplica,
    /// One request for each event, and never behind.
    Leader,
}

/// Whether the log still holds what a state was made of.
#[derive(PartialEq, Eq)]
enum Continuity {
    Whole,
    /// At the state's place is nothing or something else.
    Broken,
}

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl<A: EventSourced> JetStreamStore<A> {
    /// The newest snapshot and what came after it, or all events from the first.
    pub(super) async fn load_cold(&self, id: &str) -> Result<AggregateState<A>, LoadError> {
        let begun = Instant::now();
        let snapshot = self.inner.snapshots.read(id).await;
        let mut state = snapshot.unwrap_or_else(|| AggregateState::new(id));
        let mut read = 0;
        if self
            .advance(&mut state, Source::AnyReplica, &mut read)
            .await?
            == Continuity::Broken
        {
            tracing::warn!(stream = A::STREAM, "a snapshot does not belong to this log");
            state = AggregateState::new(id);
            self.advance(&mut state, Source::AnyReplica, &mut read)
                .await?;
        }
        let took = begun.elapsed();
        metrics::histogram!("eventstore_load_seconds", "stream" => A::STREAM).record(took);
        if self.inner.snapshots.are_due(read, took) {
            self.inner.snapshots.write(&state).await;
        }
        Ok(state)
    }

    /// As [`load_cold`](Self::load_cold), and nowhere behind what the leader had at the call.
    pub(super) async fn load_newest(&self, id: &str) -> Result<Arc<AggregateState<A>>, LoadError> {
        let filter = Self::filter(id);
        let last = async { Ok(self.inner.reader.last_from_leader(&filter).await?) };
        let (state, last) = tokio::try_join!(self.load_cold(id), last)?;
        let state = Arc::new(state);
        if last.is_none_or(|last| last.sequence <= state.sequence) {
            return Ok(state);
        }
        self.newest(&state).await
    }

    /// The newest state there is: this one, where the leader has nothing after it.
    pub(super) async fn newest(
        &self,
        state: &Arc<AggregateState<A>>,
    ) -> Result<Arc<AggregateState<A>>, LoadError> {
        let last = self
            .inner
            .reader
            .last_from_leader(&Self::filter(&state.id))
            .await?;
        let is_newest = match &last {
            Some(last) => state.ends_with(last),
            None => state.sequence == 0,
        };
        if is_newest {
            return Ok(Arc::clone(state));
        }
        let read = self.catch_up(state, Source::AnyReplica).await?;
        if last.is_none_or(|last| read.sequence >= last.sequence) {
            return Ok(read);
        }
        self.catch_up(&read, Source::Leader).await
    }

    /// The state with what came after it. A log that does not continue it is read from the start.
    async fn catch_up(
        &self,
        state: &Arc<AggregateState<A>>,
        source: Source,
    ) -> Result<Arc<AggregateState<A>>, LoadError> {
        let mut newest = AggregateState::clone(state);
        let mut read = 0;
        let mut continuity = self.advance(&mut newest, source, &mut read).await?;
        if continuity == Continuity::Broken && source == Source::AnyReplica {
            // A replica that is behind does not have the state's last event yet.
            continuity = self.advance(&mut newest, Source::Leader, &mut read).await?;
        }
        if continuity == Continuity::Broken {
            tracing::error!(
                stream = A::STREAM,
                aggregate = state.id,
                sequence = state.sequence,
                "the log does not hold the events any more that this process has seen"
            );
            newest = AggregateState::new(&state.id);
            self.advance(&mut newest, Source::AnyReplica, &mut read)
                .await?;
        }
        Ok(Arc::new(newest))
    }

    /// Folds what the log has after the state, counting into `read`.
    async fn advance(
        &self,
        state: &mut AggregateState<A>,
        source: Source,
        read: &mut usize,
    ) -> Result<Continuity, LoadError> {
        let filter = Self::filter(&state.id);
        // The state's last event is read again, to see that it is there and the same.
        let mut is_verified = state.sequence == 0;
        let mut from_sequence = state.sequence;
        loop {
            let page = self.page(&filter, from_sequence, source).await?;
            let Some(last) = page.last() else {
                let whole = is_verified.then_some(Continuity::Whole);
                return Ok(whole.unwrap_or(Continuity::Broken));
            };
            from_sequence = last.sequence + 1;
            for event in &page {
                if is_verified {
                    state
                        .fold(event, &self.inner.schema)
                        .map_err(LoadError::Corrupt)?;
                    *read += 1;
                } else if state.ends_with(event) {
                    is_verified = true;
                } else {
                    return Ok(Continuity::Broken);
                }
            }
            if source == Source::AnyReplica && page.len() < PAGE {
                return Ok(Continuity::Whole);
            }
        }
    }

    async fn page(
        &self,
        filter: &str,
        from_sequence: u64,
        source: Source,
    ) -> Result<Vec<Recorded>, ReadError> {
        let reader = &self.inner.reader;
        match source {
            Source::AnyReplica => reader.read(filter, from_sequence, PAGE).await,
            Source::Leader => {
                let next = reader.next_from_leader(filter, from_sequence).await?;
                Ok(next.into_iter().collect())
            }
        }
    }
}
