//! From a command to the messages that would record it. Reads claims, writes nothing.

use async_nats::HeaderMap;
use cqrs_es::{DomainEvent, event_sink::EventSink};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{AggregateState, JetStreamStore};
use crate::{
    Claim, ClaimAction, CommandContext, EventSourced, LoadError,
    append::{guard_aggregate, guard_subject},
    claim::{ClaimBody, ClaimState, claim_subject, last_words},
    envelope::{self, Label, event_id},
    publish::Message,
};

/// What an aggregate wants to happen, and what it would be then.
pub(super) struct Decision<A: EventSourced> {
    pub(super) events: Vec<A::Event>,
    pub(super) after: A,
}

/// What the claims of a decision come to.
pub(super) enum Claiming {
    /// The messages that take and free values, guarded.
    Possible(Vec<Message>),
    /// Somebody else holds a value of this kind.
    Taken(&'static str),
}

/// Why a decision cannot become messages.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    #[error(transparent)]
    Header(#[from] envelope::NoHeaderText),
    #[error("{text:?} cannot be a part of a subject")]
    Token { text: String },
    #[error("an event has no JSON")]
    Json(#[from] serde_json::Error),
}

/// Lets the aggregate decide, on copies: `handle` changes the aggregate also when it refuses.
pub(super) async fn decide<A: EventSourced>(
    aggregate: &A,
    command: A::Command,
    services: &A::Services,
) -> Result<Decision<A>, A::Error> {
    let sink = EventSink::default();
    aggregate.clone().handle(command, services, &sink).await?;
    let events = sink.collect().await;
    let mut after = aggregate.clone();
    for event in &events {
        after.apply(event.clone());
    }
    Ok(Decision { events, after })
}

/// The messages of the events, each guarded by the aggregate's newest sequence.
pub(super) fn event_messages<A: EventSourced>(
    state: &AggregateState<A>,
    events: &[A::Event],
    ctx: &CommandContext,
) -> Result<Vec<Message>, Unwritable> {
    let filter = JetStreamStore::<A>::filter(&state.id);
    let message = |(index, event): (usize, &A::Event)| {
        let event_type = event.event_type();
        let label = Label {
            event_id: event_id(ctx.command_id, index),
            event_type: token(&event_type)?,
            version: &event.event_version(),
        };
        let mut headers = envelope::headers(&label, ctx)?;
        guard_aggregate(&mut headers, &filter, state.sequence);
        Ok(Message {
            subject: format!("{}.{}.{event_type}", A::TYPE, state.id),
            headers,
            body: body(event)?.into(),
        })
    };
    events.iter().enumerate().map(message).collect()
}

/// A claim of a decision, and where it is recorded.
pub(super) struct WantedClaim {
    claim: Claim,
    pub(super) subject: String,
}

/// What one claim comes to.
pub(super) enum ClaimStep {
    /// It is as it shall be.
    Nothing,
    /// Somebody else holds a value of this kind.
    Taken(&'static str),
    /// The message that takes or frees the value, guarded.
    Write(Message),
}

/// The claims that the events make.
pub(super) fn wanted_claims<A: EventSourced>(
    events: &[A::Event],
) -> Result<Vec<WantedClaim>, Unwritable> {
    let claims = last_words(events.iter().flat_map(A::claims).collect());
    let wanted = claims.into_iter().map(|claim| {
        let subject = claim_subject(token(claim.kind)?, token(&claim.key)?);
        Ok(WantedClaim { claim, subject })
    });
    wanted.collect()
}

/// What is to be done for a claim of the aggregate `id`.
pub(super) fn claim_step(
    WantedClaim { claim, subject }: WantedClaim,
    current: &ClaimState,
    id: &str,
    ctx: &CommandContext,
) -> Result<ClaimStep, Unwritable> {
    let is_own = current.owner.as_deref() == Some(id);
    let owner = match claim.action {
        ClaimAction::Take if is_own => return Ok(ClaimStep::Nothing),
        ClaimAction::Take if current.owner.is_some() => return Ok(ClaimStep::Taken(claim.kind)),
        ClaimAction::Take => Some(id.to_owned()),
        ClaimAction::Release if is_own => None,
        ClaimAction::Release => return Ok(ClaimStep::Nothing),
    };
    let message = claim_message(subject, &ClaimBody { owner }, current.sequence, ctx)?;
    Ok(ClaimStep::Write(message))
}

impl<A: EventSourced> JetStreamStore<A> {
    /// The messages of the claims that the events make.
    pub(super) async fn claim(
        &self,
        state: &AggregateState<A>,
        events: &[A::Event],
        ctx: &CommandContext,
    ) -> Result<Claiming, ClaimError> {
        let mut messages = Vec::new();
        for claim in wanted_claims::<A>(events)? {
            let current = self.claim_state(&claim.subject).await?;
            match claim_step(claim, &current, &state.id, ctx)? {
                ClaimStep::Nothing => {}
                ClaimStep::Taken(kind) => return Ok(Claiming::Taken(kind)),
                ClaimStep::Write(message) => messages.push(message),
            }
        }
        Ok(Claiming::Possible(messages))
    }

    /// Who holds the claim, by the leader: what follows from it is not always guarded. A replica
    /// that is behind would leave a claim unreleased for ever.
    async fn claim_state(&self, subject: &str) -> Result<ClaimState, LoadError> {
        let last = self.inner.reader.last_from_leader(subject).await?;
        ClaimState::read(last.as_ref()).map_err(LoadError::Corrupt)
    }
}

/// Why claims cannot become messages.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

fn claim_message(
    subject: String,
    body: &ClaimBody,
    sequence: u64,
    ctx: &CommandContext,
) -> Result<Message, Unwritable> {
    let label = Label {
        event_id: Uuid::new_v5(&ctx.command_id, subject.as_bytes()),
        event_type: body.event_type(),
        version: "1",
    };
    let mut headers: HeaderMap = envelope::headers(&label, ctx)?;
    guard_subject(&mut headers, sequence);
    Ok(Message {
        subject,
        headers,
        body: serde_json::to_vec(body)?.into(),
    })
}

/// An event's own JSON: what its enum has under `data`.
fn body<E: DomainEvent>(event: &E) -> Result<String, serde_json::Error> {
    #[derive(Deserialize)]
    struct Tagged<'a> {
        #[serde(borrow, default)]
        data: Option<&'a RawValue>,
    }
    let tagged = serde_json::to_string(event)?;
    let Tagged { data } = serde_json::from_str(&tagged)?;
    Ok(data.map_or_else(|| "null".to_owned(), |data| data.get().to_owned()))
}

/// A text that may be one token of a subject: it cannot reach other subjects.
pub(super) fn token(text: &str) -> Result<&str, Unwritable> {
    let is_usable = |c: char| c.is_ascii_graphic() && !matches!(c, '.' | '*' | '>' | '$');
    if (1..=255).contains(&text.len()) && text.chars().all(is_usable) {
        return Ok(text);
    }
    Err(Unwritable::Token {
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_reach_other_subjects_is_no_token() {
        for text in ["", ".", "a.b", "*", ">", "a b", "$JS", "a\r\n", "한"] {
            assert!(token(text).is_err(), "{text:?}");
        }
        assert!(token("8f14e45f-ceea-467f-a8d5-1b4b5d3d7f2c").is_ok());
    }
}
