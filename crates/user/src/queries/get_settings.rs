//! `GET /api/users/{id}/settings`: for the person themselves and for administrators. Asks the log.

use axum::extract::State;
use doran_contract::UserId;
use doran_platform::http::{Actor, Id, Refusal, Success};

use crate::{access::require_self_or_admin, settings::Settings, state::Service, user::Error};

pub(crate) async fn get_settings(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
) -> Result<Success<Settings>, Refusal> {
    require_self_or_admin(&actor, user)?;
    let account = service.platform.users.find(user).await;
    account.ok_or(Error::NotFound)?;
    Ok(Success::ok(Settings::of(&service, user).await?))
}
