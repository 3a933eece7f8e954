//! `GET /api/users/{id}`: one person; in full to themselves and to administrators.

use axum::extract::State;
use doran_contract::{UserId, user::User};
use doran_platform::http::{Actor, Id, Refusal, Success, UpToDate};

use super::{person::Person, seen_by};
use crate::{state::Service, user::Error};

pub(crate) async fn get_user(
    State(service): State<Service>,
    actor: Actor,
    Id(id): Id<UserId>,
    _: UpToDate,
) -> Result<Success<User>, Refusal> {
    let person = Person::by_id(&service.pool, id)
        .await?
        .ok_or(Error::NotFound)?;
    let version = person.version;
    let user = person.open(&service.platform.keyring).await?;
    Ok(Success::ok(seen_by(&actor, user)).version(version))
}
