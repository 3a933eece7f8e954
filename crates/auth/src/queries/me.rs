//! `GET /api/auth/me` and `validate`: who the token speaks of. Needs no PostgreSQL.

use axum::extract::State;
use doran_contract::user::User;
use doran_platform::http::{Actor, Refusal, Success};

use crate::state::Service;

pub(crate) async fn me(
    State(service): State<Service>,
    actor: Actor,
) -> Result<Success<User>, Refusal> {
    let profile = service.platform.profiles.find(actor.user_id).await?;
    let profile = profile.ok_or_else(|| Refusal::not_found("user"))?;
    let session = service.sessions.load(&actor.session_id.to_string()).await?;
    let user = User {
        last_conn_time: session.and_then(|session| session.aggregate.last_seen_at()),
        ..profile.user.clone()
    };
    Ok(Success::ok(user).version(profile.sequence))
}
