//! `POST /api/auth/logout`: ends this session, or with `?all=true` every session of the person.

use axum::extract::State;
use doran_contract::{ErrorCode, SessionId, session::Revocation};
use doran_eventstore::Position;
use doran_platform::http::{Actor, CommandHeaders, Query, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SOURCE, on_session};
use crate::{session::Command, state::Service};

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(skip)]
    #[serde(default)]
    all: bool,
}

/// The sessions that ended.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ended {
    session_ids: Vec<SessionId>,
}

impl Ended {
    pub(crate) fn one(session: SessionId) -> Self {
        Self {
            session_ids: vec![session],
        }
    }
}

pub(crate) async fn log_out(
    State(service): State<Service>,
    actor: Actor,
    headers: CommandHeaders,
    Query(Request { all }): Query<Request>,
) -> Result<Success<Ended>, Refusal> {
    let wanted = if all { "all" } else { "this" };
    let ctx = headers.context(
        &service.platform,
        SOURCE,
        Some(actor.user_id),
        wanted.as_bytes(),
    );
    let (session_ids, reason) = if all {
        (
            everywhere(&service, &actor).await?,
            Revocation::LoggedOutEverywhere,
        )
    } else {
        (vec![actor.session_id], Revocation::LoggedOut)
    };
    let mut reached = 0;
    for session in &session_ids {
        let ctx = on_session(&ctx, *session);
        let revoke = Command::Revoke(reason);
        let outcome = service
            .sessions
            .execute(&(), &session.to_string(), revoke, &ctx)
            .await?;
        reached = reached.max(outcome.position.sequence);
    }
    let position = Position::new(service.session_log.stream(), reached);
    Ok(Success::ok(Ended { session_ids }).at(&position))
}

/// Every session that stands, this one last: if one before it cannot be ended, the token still
/// serves to try again.
async fn everywhere(service: &Service, actor: &Actor) -> Result<Vec<SessionId>, Refusal> {
    let now = service.platform.clock.now();
    let standing = service.standing.of(actor.user_id, now).await;
    let mut sessions = standing.map_err(|error| {
        tracing::warn!(%error, "the sessions of a person are not known");
        Refusal::new(ErrorCode::Unavailable, "the log does not answer, try again")
    })?;
    sessions.retain(|session| *session != actor.session_id);
    sessions.push(actor.session_id);
    Ok(sessions)
}
