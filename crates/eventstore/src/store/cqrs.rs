//! The `EventStore` of `cqrs-es`, for those who come with its framework.
//!
//! It commits once and leaves retries to the caller. [`JetStreamStore::execute`] does more.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::{AggregateError, EventEnvelope, EventStore};

use super::{
    AggregateState, JetStreamStore,
    decide::{Claiming, event_messages, token},
};
use crate::{
    BoxError, CommandContext, EventSourced, ExecuteError, Recorded,
    append::{Verdict, append},
    deadline::{Deadline, TOTAL},
    envelope,
};

/// How many events are read at once.
const PAGE: usize = 500;

/// A `commit` was called without what the envelope cannot do without.
#[derive(Debug, thiserror::Error)]
#[error("the metadata needs a usable `{key}`")]
struct MissingMetadata {
    key: &'static str,
}

impl<A> EventStore<A> for JetStreamStore<A>
where
    A: EventSourced,
    A::Error: Send,
{
    type AC = AggregateState<A>;

    /// All events of an aggregate, from the first on, in their current shapes.
    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        token(aggregate_id).map_err(unexpected)?;
        let filter = Self::filter(aggregate_id);
        let mut envelopes = Vec::new();
        let mut from_sequence = 1;
        loop {
            let page = self.inner.reader.read(&filter, from_sequence, PAGE).await;
            let page = page.map_err(|e| AggregateError::DatabaseConnectionError(e.into()))?;
            for event in &page {
                envelopes.push(self.envelope(aggregate_id, event)?);
                from_sequence = event.sequence + 1;
            }
            if page.len() < PAGE {
                return Ok(envelopes);
            }
        }
    }

    /// The aggregate as the log's tail has it.
    async fn load_aggregate(
        &self,
        aggregate_id: &str,
    ) -> Result<Self::AC, AggregateError<A::Error>> {
        token(aggregate_id).map_err(unexpected)?;
        let loaded = match self.cached(aggregate_id) {
            Some(state) => Ok(state),
            None => self.load_cold(aggregate_id).await.map(Arc::new),
        };
        let state = loaded.map_err(|error| aggregate_error(error.into()))?;
        let newest = self.newest(&state).await;
        let state = newest.map_err(|error| aggregate_error(error.into()))?;
        self.remember(&state);
        Ok(Arc::unwrap_or_clone(state))
    }

    /// Appends the events with the guard of the context.
    ///
    /// The metadata's keys are the header names of [`crate::envelope`]; `doran-command-id` and
    /// `ce-time` have to be there. The context has the events applied already.
    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        token(&context.id).map_err(unexpected)?;
        let ctx = command_context(&metadata).map_err(unexpected)?;
        let claiming = self.claim(&context, &events, &ctx).await;
        let mut batch = match claiming.map_err(|error| aggregate_error(error.into()))? {
            Claiming::Possible(batch) => batch,
            Claiming::Taken(kind) => return Err(AggregateError::UserError(A::taken(kind))),
        };
        batch.extend(event_messages(&context, &events, &ctx).map_err(unexpected)?);
        match append(&self.inner.js, &batch, Deadline::after(TOTAL)).await {
            Ok(Verdict::Stored(ack)) => Ok(committed(&context.id, events, ack.sequence, &metadata)),
            Ok(Verdict::Conflict { .. }) => Err(AggregateError::AggregateConflict),
            Err(error) => Err(aggregate_error(error.into())),
        }
    }
}

impl<A: EventSourced> JetStreamStore<A> {
    fn envelope(
        &self,
        id: &str,
        event: &Recorded,
    ) -> Result<EventEnvelope<A>, AggregateError<A::Error>> {
        let payload = event.decode(&self.inner.schema);
        let headers = event.headers.iter();
        let metadata = headers.filter_map(|(name, values)| {
            Some((name.to_string(), values.first()?.as_str().to_owned()))
        });
        Ok(EventEnvelope {
            aggregate_id: id.to_owned(),
            sequence: usize::try_from(event.sequence).map_err(unexpected)?,
            payload: payload.map_err(|e| AggregateError::DeserializationError(e.into()))?,
            metadata: metadata.collect(),
        })
    }
}

/// The envelopes of events that were just stored, as the last of their batch.
fn committed<A: EventSourced>(
    id: &str,
    events: Vec<A::Event>,
    last_sequence: u64,
    metadata: &HashMap<String, String>,
) -> Vec<EventEnvelope<A>> {
    let last = usize::try_from(last_sequence).unwrap_or(usize::MAX);
    let first = last.saturating_sub(events.len() - 1);
    let envelope = |(index, payload)| EventEnvelope {
        aggregate_id: id.to_owned(),
        sequence: first + index,
        payload,
        metadata: metadata.clone(),
    };
    events.into_iter().enumerate().map(envelope).collect()
}

fn command_context(metadata: &HashMap<String, String>) -> Result<CommandContext, MissingMetadata> {
    let text = |key| metadata.get(key).cloned();
    let id = metadata
        .get(envelope::COMMAND_ID)
        .and_then(|id| id.parse().ok());
    let time = metadata
        .get(envelope::TIME)
        .and_then(|time| time.parse().ok());
    Ok(CommandContext {
        command_id: id.ok_or(MissingMetadata {
            key: envelope::COMMAND_ID,
        })?,
        time: time.ok_or(MissingMetadata {
            key: envelope::TIME,
        })?,
        actor: text(envelope::ACTOR),
        fingerprint: text(envelope::COMMAND_FINGERPRINT),
        expected_sequence: None,
        correlation_id: text(envelope::CORRELATION_ID),
        causation_id: text(envelope::CAUSATION_ID),
        traceparent: text(envelope::TRACEPARENT),
        source: "cqrs-es",
    })
}

fn aggregate_error<E: std::error::Error>(error: ExecuteError<E>) -> AggregateError<E> {
    match error {
        ExecuteError::Refused(refusal) => AggregateError::UserError(refusal),
        ExecuteError::Conflict
        | ExecuteError::PreconditionFailed { .. }
        | ExecuteError::IdempotencyMismatch => AggregateError::AggregateConflict,
        ExecuteError::Unavailable(source) | ExecuteError::Full(source) => {
            AggregateError::DatabaseConnectionError(source)
        }
        ExecuteError::FateUnknown => AggregateError::DatabaseConnectionError(
            ExecuteError::<E>::FateUnknown.to_string().into(),
        ),
        ExecuteError::Rejected(source) => AggregateError::UnexpectedError(source),
        ExecuteError::Corrupt(source) => AggregateError::DeserializationError(source.into()),
    }
}

fn unexpected<E: std::error::Error>(error: impl Into<BoxError>) -> AggregateError<E> {
    AggregateError::UnexpectedError(error.into())
}
