//! `GET /api/users/email/{email}`: for the person themselves and for administrators.

use axum::extract::State;
use doran_contract::{ErrorCode, user::User};
use doran_platform::http::{Actor, Refusal, Success, UpToDate};

use super::{email::Email, person::Person};
use crate::{state::Service, user::Error};

pub(crate) async fn get_user_by_email(
    State(service): State<Service>,
    actor: Actor,
    Email(email): Email,
    _: UpToDate,
) -> Result<Success<User>, Refusal> {
    let email_key = service.platform.blinder.email_key(&email);
    let person = Person::by_email_key(&service.pool, &email_key).await?;
    let is_own = person
        .as_ref()
        .is_some_and(|person| person.id() == actor.user_id);
    if !is_own && !actor.is_admin() {
        // The same answer for an address that nobody has: it tells nothing.
        return Err(Refusal::new(
            ErrorCode::Forbidden,
            "this is not your e-mail address",
        ));
    }
    let person = person.ok_or(Error::NotFound)?;
    let version = person.version;
    let user = person.open(&service.platform.keyring).await?;
    Ok(Success::ok(user).version(version))
}
