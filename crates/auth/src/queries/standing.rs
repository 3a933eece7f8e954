//! Which sessions of a person stand, as far as the read model knows.

use doran_contract::{SessionId, UserId};
use doran_platform::http::Refusal;

use crate::state::Service;

pub(crate) async fn standing_sessions(
    service: &Service,
    user: UserId,
) -> Result<Vec<SessionId>, Refusal> {
    let ids = sqlx::query_scalar(
        "select id
         from sessions
         where user_id = $1
             and revoked_at is null
             and expires_at > $2
         order by started_sequence",
    )
    .bind(user.as_uuid())
    .bind(service.platform.clock.now())
    .fetch_all(&service.pool)
    .await?;
    Ok(ids.into_iter().map(SessionId::new).collect())
}
