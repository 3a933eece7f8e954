//! What a state answers to a command: that it is known already, that nothing is new, or what it
//! became.

use super::{AggregateState, decide::Decision, state::KnownCommand};
use crate::{CommandContext, EventSourced, ExecuteError, Outcome, Position, envelope::event_id};

impl<A: EventSourced> AggregateState<A> {
    /// The answer to a command that is known already.
    pub(super) fn replay(
        &self,
        ctx: &CommandContext,
    ) -> Result<Option<Outcome<A>>, ExecuteError<A::Error>> {
        let Some(known) = self.commands.find(ctx.command_id) else {
            return Ok(None);
        };
        if known.fingerprint != ctx.fingerprint {
            return Err(ExecuteError::IdempotencyMismatch);
        }
        Ok(Some(Outcome {
            position: Position::new(A::STREAM, known.sequence),
            replayed: true,
            ..self.unchanged()
        }))
    }

    /// The answer to a command that led to nothing: the aggregate as it is.
    pub(super) fn unchanged(&self) -> Outcome<A> {
        Outcome {
            position: Position::new(A::STREAM, self.sequence),
            aggregate: self.aggregate.clone(),
            sequence: self.sequence,
            events: Vec::new(),
            replayed: false,
        }
    }

    /// The state after a decision whose last event was stored at `last_sequence`, and the answer.
    pub(super) fn accept(
        &self,
        decision: Decision<A>,
        ctx: &CommandContext,
        last_sequence: u64,
    ) -> (Self, Outcome<A>) {
        let Decision { events, after } = decision;
        let mut state = Self {
            aggregate: after,
            sequence: last_sequence,
            last_event: Some(event_id(ctx.command_id, events.len() - 1)),
            ..self.clone()
        };
        state.commands.note(KnownCommand {
            id: ctx.command_id,
            fingerprint: ctx.fingerprint.clone(),
            sequence: last_sequence,
        });
        let outcome = Outcome {
            events,
            ..state.unchanged()
        };
        (state, outcome)
    }
}
