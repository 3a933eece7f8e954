//! Executing a command: decide, append with the guard, and on a conflict look and decide again.

use std::{sync::Arc, time::Duration};

use super::{
    AggregateState, JetStreamStore,
    decide::{ClaimError, Claiming, Decision, Unwritable, decide, event_messages, token},
};
use crate::{
    AppendError, CommandContext, EventSourced, ExecuteError, LoadError, Outcome,
    append::{Verdict, append},
    deadline::{Deadline, Elapsed, INQUIRY, TOTAL},
};

/// How often a command is decided before others who change the aggregate have their way.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(8);

type Failure<A> = ExecuteError<<A as cqrs_es::Aggregate>::Error>;

struct Execution<'a, A: EventSourced> {
    store: &'a JetStreamStore<A>,
    services: &'a A::Services,
    id: &'a str,
    command: A::Command,
    ctx: &'a CommandContext,
    deadline: Deadline,
}

/// What the command is decided on.
struct View<A> {
    state: Arc<AggregateState<A>>,
    /// The leader had nothing newer during this command.
    is_newest: bool,
}

enum Step<A: EventSourced> {
    Done(Outcome<A>),
    /// There is, or may be, a newer state to decide on.
    LookAgain(View<A>),
    Conflict {
        maybe_own: bool,
    },
}

pub(super) async fn execute<A>(
    store: &JetStreamStore<A>,
    services: &A::Services,
    id: &str,
    command: A::Command,
    ctx: &CommandContext,
) -> Result<Outcome<A>, Failure<A>>
where
    A: EventSourced,
    A::Command: Clone + Send,
    A::Error: Send,
{
    token(id)?;
    let deadline = Deadline::after(TOTAL);
    let _turn = deadline.wait_for(store.lock(id)).await?;
    let execution = Execution {
        store,
        services,
        id,
        command,
        ctx,
        deadline,
    };
    // On the heap: callers' futures would be several kilobytes larger otherwise.
    let result = Box::pin(execution.run()).await;
    let outcome = match &result {
        Ok(outcome) if outcome.replayed => "replayed",
        Ok(outcome) if outcome.events.is_empty() => "unchanged",
        Ok(_) => "executed",
        Err(error) => error.name(),
    };
    metrics::counter!("eventstore_commands_total", "stream" => A::STREAM, "outcome" => outcome)
        .increment(1);
    result
}

impl<A> Execution<'_, A>
where
    A: EventSourced,
    A::Command: Clone + Send,
    A::Error: Send,
{
    async fn run(&self) -> Result<Outcome<A>, Failure<A>> {
        let mut view = self.first_view().await?;
        let mut conflicts = 0;
        loop {
            match self.step(&view).await? {
                Step::Done(outcome) => return Ok(outcome),
                Step::LookAgain(newer) => view = newer,
                Step::Conflict { maybe_own } => {
                    conflicts += 1;
                    metrics::counter!("eventstore_conflicts_total", "stream" => A::STREAM)
                        .increment(1);
                    view = match self.after_conflict(&view, conflicts).await {
                        Err(ExecuteError::Unavailable(_)) if maybe_own => {
                            return Err(ExecuteError::FateUnknown);
                        }
                        looked => looked?,
                    };
                    if conflicts == TRIES {
                        return view.state.replay(self.ctx)?.ok_or(ExecuteError::Conflict);
                    }
                }
            }
        }
    }

    async fn step(&self, view: &View<A>) -> Result<Step<A>, Failure<A>> {
        let state = &view.state;
        if let Some(outcome) = state.replay(self.ctx)? {
            // The answer has the aggregate as it is now, not as this process remembers it.
            return Ok(match self.newer_than(view).await? {
                Some(newer) => Step::LookAgain(newer),
                None => Step::Done(outcome),
            });
        }
        if let Some(expected) = self.ctx.expected_sequence
            && expected != state.sequence
        {
            return self.doubt_expectation(view).await;
        }
        let deciding = decide(&state.aggregate, self.command.clone(), self.services);
        let decision = match self.deadline.wait_for(deciding).await? {
            Ok(decision) => decision,
            Err(refusal) => return self.refuse(view, refusal).await,
        };
        if decision.events.is_empty() {
            return self.leave_unchanged(view).await;
        }
        let claiming = self.store.claim(state, &decision.events, self.ctx);
        match self.deadline.wait_for(claiming).await?? {
            Claiming::Taken(kind) => self.refuse(view, A::taken(kind)).await,
            Claiming::Possible(mut batch) => {
                batch.extend(event_messages(state, &decision.events, self.ctx)?);
                let deadline = self.deadline.less(INQUIRY);
                match append(&self.store.inner.js, &batch, deadline).await {
                    Ok(Verdict::Stored(ack)) => {
                        Ok(Step::Done(self.accept(state, decision, ack.sequence)))
                    }
                    Ok(Verdict::Conflict { maybe_own }) => Ok(Step::Conflict { maybe_own }),
                    Err(AppendError::FateUnknown) => self.inquire(view).await,
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    async fn first_view(&self) -> Result<View<A>, Failure<A>> {
        let state = if let Some(state) = self.store.cached(self.id) {
            state
        } else {
            let loading = self.store.load_cold(self.id);
            Arc::new(self.deadline.wait_for(loading).await??)
        };
        Ok(View {
            state,
            is_newest: false,
        })
    }

    /// What to go on with after somebody else, or an unanswered try of this, was faster.
    async fn after_conflict(&self, view: &View<A>, conflicts: u32) -> Result<View<A>, Failure<A>> {
        let pause = FIRST_PAUSE * 2_u32.pow(conflicts);
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.1..1.0))).await;
        self.newest(view).await
    }

    /// The caller expects another last event than the known one: which of the two is behind?
    async fn doubt_expectation(&self, view: &View<A>) -> Result<Step<A>, Failure<A>> {
        if view.is_newest {
            return Err(ExecuteError::PreconditionFailed {
                actual: view.state.sequence,
            });
        }
        Ok(Step::LookAgain(self.newest(view).await?))
    }

    /// A refusal stands only if it was decided on the newest state.
    async fn refuse(&self, view: &View<A>, refusal: A::Error) -> Result<Step<A>, Failure<A>> {
        match self.newer_than(view).await? {
            Some(newer) => Ok(Step::LookAgain(newer)),
            None => Err(ExecuteError::Refused(refusal)),
        }
    }

    /// So does the decision that nothing is to be done.
    async fn leave_unchanged(&self, view: &View<A>) -> Result<Step<A>, Failure<A>> {
        Ok(match self.newer_than(view).await? {
            Some(newer) => Step::LookAgain(newer),
            None => Step::Done(view.state.unchanged()),
        })
    }

    async fn newer_than(&self, view: &View<A>) -> Result<Option<View<A>>, Failure<A>> {
        if view.is_newest {
            return Ok(None);
        }
        let newest = self.newest(view).await?;
        Ok((!newest.state.is_as_new_as(&view.state)).then_some(newest))
    }

    async fn newest(&self, view: &View<A>) -> Result<View<A>, Failure<A>> {
        let looking = self.store.newest(&view.state);
        let state = self.deadline.wait_for(looking).await??;
        self.store.remember(&state);
        Ok(View {
            state,
            is_newest: true,
        })
    }

    /// No acknowledgement came in time. The log may still know the command.
    async fn inquire(&self, view: &View<A>) -> Result<Step<A>, Failure<A>> {
        let Ok(newest) = self.newest(view).await else {
            return Err(ExecuteError::FateUnknown);
        };
        let outcome = newest.state.replay(self.ctx)?;
        outcome.map(Step::Done).ok_or(ExecuteError::FateUnknown)
    }

    fn accept(
        &self,
        before: &AggregateState<A>,
        decision: Decision<A>,
        last_sequence: u64,
    ) -> Outcome<A> {
        let (state, outcome) = before.accept(decision, self.ctx, last_sequence);
        self.store.remember(&Arc::new(state));
        outcome
    }
}

impl<E> ExecuteError<E> {
    /// The word for it in metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Conflict => "conflict",
            Self::PreconditionFailed { .. } => "precondition_failed",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::Unavailable(_) => "unavailable",
            Self::FateUnknown => "fate_unknown",
            Self::Full(_) => "full",
            Self::Rejected(_) => "rejected",
            Self::Corrupt(_) => "corrupt",
        }
    }
}

impl<E> From<LoadError> for ExecuteError<E> {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unavailable(source) => Self::Unavailable(source),
            LoadError::Corrupt(source) => Self::Corrupt(source),
        }
    }
}

impl<E> From<AppendError> for ExecuteError<E> {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Unavailable(source) => Self::Unavailable(source),
            AppendError::FateUnknown => Self::FateUnknown,
            AppendError::Full(source) => Self::Full(source),
            AppendError::Rejected(source) => Self::Rejected(source),
        }
    }
}

impl<E> From<ClaimError> for ExecuteError<E> {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Load(error) => error.into(),
            ClaimError::Unwritable(error) => error.into(),
        }
    }
}

impl<E> From<Unwritable> for ExecuteError<E> {
    fn from(error: Unwritable) -> Self {
        Self::Rejected(error.into())
    }
}

impl<E> From<Elapsed> for ExecuteError<E> {
    fn from(elapsed: Elapsed) -> Self {
        Self::Unavailable(elapsed.into())
    }
}
