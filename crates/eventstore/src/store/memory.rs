//! A store whose log is in memory, for tests of what stands on a store and as the model that the
//! real one is compared with.
//!
//! It decides, numbers and names events as [`JetStreamStore`](crate::JetStreamStore) does, and has
//! no faults: one command at a time, nothing late, nothing lost but with the process.

use std::{collections::HashMap, fmt, marker::PhantomData, sync::Arc};

use tokio::sync::Mutex;

use super::{
    AggregateState,
    decide::{ClaimStep, claim_step, decide, event_messages, token, wanted_claims},
};
use crate::{
    CommandContext, EventSourced, ExecuteError, LoadError, Loaded, Outcome, Recorded,
    append::guard_filter, claim::ClaimState, publish::Message,
};

/// The streams that stores in memory write to. Cheap to clone; clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    streams: Arc<Mutex<Streams>>,
}

#[derive(Debug, Default)]
struct Streams(HashMap<&'static str, Vec<Recorded>>);

/// Executes commands on aggregates of one kind, in memory. Cheap to clone.
pub struct MemoryStore<A> {
    log: MemoryLog,
    aggregates: PhantomData<fn() -> A>,
}

impl MemoryLog {
    /// Everything in a stream, claims included, in order.
    pub async fn events(&self, stream: &str) -> Vec<Recorded> {
        self.streams.lock().await.of(stream).to_vec()
    }
}

impl<A: EventSourced> MemoryStore<A> {
    pub fn new(log: MemoryLog) -> Self {
        Self {
            log,
            aggregates: PhantomData,
        }
    }

    /// Executes a command once, however often it is sent, and says where its events lie.
    ///
    /// # Errors
    ///
    /// As [`JetStreamStore::execute`](crate::JetStreamStore::execute), but never unavailable, of
    /// unknown fate, or in conflict.
    pub async fn execute(
        &self,
        services: &A::Services,
        id: &str,
        command: A::Command,
        ctx: &CommandContext,
    ) -> Result<Outcome<A>, ExecuteError<A::Error>>
    where
        A::Command: Send,
        A::Error: Send,
    {
        token(id)?;
        // Held to the end: what was decided is still true when it is written.
        let mut streams = self.log.streams.lock().await;
        let state = streams.state::<A>(id)?;
        if let Some(outcome) = state.replay(ctx)? {
            return Ok(outcome);
        }
        if let Some(expected) = ctx.expected_sequence
            && expected != state.sequence
        {
            return Err(ExecuteError::PreconditionFailed {
                actual: state.sequence,
            });
        }
        let decision = decide(&state.aggregate, command, services)
            .await
            .map_err(ExecuteError::Refused)?;
        if decision.events.is_empty() {
            return Ok(state.unchanged());
        }
        let mut batch = Vec::new();
        for claim in wanted_claims::<A>(&decision.events)? {
            let last = streams.last(A::STREAM, &claim.subject);
            let current = ClaimState::read(last).map_err(ExecuteError::Corrupt)?;
            match claim_step(claim, &current, id, ctx)? {
                ClaimStep::Nothing => {}
                ClaimStep::Taken(kind) => return Err(ExecuteError::Refused(A::taken(kind))),
                ClaimStep::Write(message) => batch.push(message),
            }
        }
        batch.extend(event_messages(&state, &decision.events, ctx)?);
        let last_sequence = streams.append(A::STREAM, batch, ctx);
        let (_, outcome) = state.accept(decision, ctx, last_sequence);
        Ok(outcome)
    }

    /// The aggregate as the log has it; none when it has no event.
    pub async fn load(&self, id: &str) -> Result<Option<Loaded<A>>, LoadError> {
        let state = self.log.streams.lock().await.state::<A>(id)?;
        Ok((state.sequence > 0).then_some(Loaded {
            aggregate: state.aggregate,
            sequence: state.sequence,
        }))
    }
}

impl Streams {
    fn of(&self, stream: &str) -> &[Recorded] {
        self.0.get(stream).map_or(&[], Vec::as_slice)
    }

    fn last(&self, stream: &str, subject: &str) -> Option<&Recorded> {
        let mut newest_first = self.of(stream).iter().rev();
        newest_first.find(|event| event.subject == subject)
    }

    fn state<A: EventSourced>(&self, id: &str) -> Result<AggregateState<A>, LoadError> {
        let filter = guard_filter(A::TYPE, id);
        let subjects = filter.trim_end_matches('*');
        let mut state = AggregateState::new(id);
        for event in self.of(A::STREAM) {
            if event.subject.starts_with(subjects) {
                state
                    .fold(event, &A::schema())
                    .map_err(LoadError::Corrupt)?;
            }
        }
        Ok(state)
    }

    /// The sequence of the last message.
    fn append(&mut self, stream: &'static str, batch: Vec<Message>, ctx: &CommandContext) -> u64 {
        let events = self.0.entry(stream).or_default();
        for message in batch {
            let sequence = events.len() as u64 + 1;
            events.push(Recorded::from_memory(stream, sequence, ctx.time, message));
        }
        events.len() as u64
    }
}

impl<A> Clone for MemoryStore<A> {
    fn clone(&self) -> Self {
        Self {
            log: self.log.clone(),
            aggregates: PhantomData,
        }
    }
}

impl<A: EventSourced> fmt::Debug for MemoryStore<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("stream", &A::STREAM)
            .field("aggregate", &A::TYPE)
            .finish_non_exhaustive()
    }
}
