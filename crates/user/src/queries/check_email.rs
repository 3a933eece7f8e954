//! `GET /api/users/check-email/{email}`: whether an address is taken. Asks the log, which decides.

use axum::extract::State;
use doran_platform::http::{Refusal, Success};

use super::email::Email;
use crate::{state::Service, user::EMAIL_CLAIM};

pub(crate) async fn check_email(
    State(service): State<Service>,
    Email(email): Email,
) -> Result<Success<bool>, Refusal> {
    let email_key = service.platform.blinder.email_key(&email);
    let owner = service.log.claim_owner(EMAIL_CLAIM, &email_key).await?;
    Ok(Success::ok(owner.is_some()))
}
