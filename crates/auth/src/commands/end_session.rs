//! `DELETE /api/auth/sessions/{id}`: somebody ends one of their own sessions.

use axum::extract::State;
use doran_contract::{SessionId, session::Revocation};
use doran_platform::http::{Actor, CommandHeaders, Id, Refusal, Success};

use super::SOURCE;
use crate::{
    commands::log_out::Ended,
    session::{Command, Error},
    state::Service,
};

pub(crate) async fn end_session(
    State(service): State<Service>,
    actor: Actor,
    Id(session): Id<SessionId>,
    headers: CommandHeaders,
) -> Result<Success<Ended>, Refusal> {
    let id = session.to_string();
    let loaded = service.sessions.load(&id).await?;
    let owner = loaded.and_then(|loaded| loaded.aggregate.user());
    if owner != Some(actor.user_id) {
        return Err(Error::NotFound.into());
    }
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    let revoke = Command::Revoke(Revocation::LoggedOut);
    let outcome = service.sessions.execute(&(), &id, revoke, &ctx).await?;
    Ok(Success::ok(Ended::one(session)).at(&outcome.position))
}
