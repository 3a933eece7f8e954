//! `POST /api/users`: somebody makes an account.

use axum::extract::State;
use doran_contract::{UserId, id::created_by, subject, user::User as Profile};
use doran_eventstore::{CommandContext, ExecuteError, event_id};
use doran_platform::{
    http::{Body, CommandHeaders, Refusal, Success, valid},
    profile::PersonalData,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SOURCE;
use crate::{
    names::full_name,
    state::Service,
    user::{Command, EMAIL_CLAIM, Error, Registration},
};

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(email, length(chars, max = 254))]
    email: String,
    #[garde(
        length(chars, min = 8, max = 100),
        custom(valid::no_control_characters)
    )]
    password: String,
    #[garde(
        length(chars, min = 1, max = 50),
        custom(valid::no_control_characters),
        custom(valid::not_blank)
    )]
    first_name: String,
    #[garde(
        length(chars, min = 1, max = 50),
        custom(valid::no_control_characters),
        custom(valid::not_blank)
    )]
    last_name: String,
    #[garde(
        length(chars, min = 1, max = 50),
        custom(valid::optional_without_control_characters)
    )]
    name: Option<String>,
    #[garde(
        length(chars, max = 2048),
        custom(valid::optional_without_control_characters)
    )]
    picture: Option<String>,
    #[garde(
        length(chars, max = 100),
        custom(valid::optional_without_control_characters)
    )]
    info: Option<String>,
}

pub(crate) async fn register(
    State(service): State<Service>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Profile>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, None, &body.raw);
    let user = UserId::new(created_by(ctx.command_id));
    let email_key = service.platform.blinder.email_key(&body.value.email);
    match service.users.load(&user.to_string()).await? {
        None => {
            refuse_taken(&service, &email_key).await?;
            keep_password(&service, user, &body.value.password).await?;
        }
        // A late retry must not make a key for somebody whose key is destroyed.
        Some(known) if known.aggregate.email_key().is_none() => return Err(Error::NotFound.into()),
        Some(_) => {}
    }
    let registration = seal(&service, &ctx, user, body.value, email_key).await?;
    let command = Command::Register(Box::new(registration));
    let executed = service
        .users
        .execute(&(), &user.to_string(), command, &ctx)
        .await;
    if let Err(ExecuteError::Refused(Error::EmailTaken)) = &executed {
        withdraw(&service, user).await;
    }
    let outcome = executed?;
    let profile = service.platform.profiles.at(user, outcome.sequence).await?;
    let profile = profile.ok_or(Error::NotFound)?;
    let location = format!("/api/users/{user}");
    Ok(Success::created(&location, profile.user.clone())
        .at(&outcome.position)
        .version(outcome.sequence))
}

/// Spares the work for an address that is taken. Who gets a free one is decided by the log.
async fn refuse_taken(service: &Service, email_key: &str) -> Result<(), Refusal> {
    match service.log.claim_owner(EMAIL_CLAIM, email_key).await? {
        Some(_) => Err(Error::EmailTaken.into()),
        None => Ok(()),
    }
}

/// Keeps the hash before there is an account: an account without a password could never be used,
/// a password without an account harms nobody.
async fn keep_password(service: &Service, user: UserId, password: &str) -> Result<(), Refusal> {
    let passwords = &service.platform.passwords;
    let hash = passwords.hash(password).await?;
    if service.credentials.create(user, &hash).await? {
        return Ok(());
    }
    // A retry of a registration whose fate its client did not learn. The first password stays.
    let first = service.credentials.find(user).await?;
    if passwords.verify(password, first.as_ref()).await? {
        Ok(())
    } else {
        Err(ExecuteError::<Error>::IdempotencyMismatch.into())
    }
}

async fn seal(
    service: &Service,
    ctx: &CommandContext,
    user: UserId,
    request: Request,
    email_key: String,
) -> Result<Registration, Refusal> {
    let key = service.platform.keyring.create(user).await?;
    let name = request.name.filter(|name| !name.trim().is_empty());
    let personal = PersonalData {
        name: name.unwrap_or_else(|| full_name(&request.first_name, &request.last_name)),
        email: request.email,
        first_name: request.first_name,
        last_name: request.last_name,
        picture: request.picture.filter(|text| !text.is_empty()),
        info: request.info.filter(|text| !text.is_empty()),
    };
    let subject = subject::user(user, "UserCreated");
    Ok(Registration {
        user_id: user,
        email_key,
        personal: personal.seal(&key, subject, event_id(ctx.command_id, 0)),
    })
}

/// Takes back what was kept for a person who does not come to be. What stays behind after a fault
/// belongs to an id that nobody has.
async fn withdraw(service: &Service, user: UserId) {
    // Of all mistakes here, destroying the key of somebody who exists is the one to rule out.
    match service.users.load(&user.to_string()).await {
        Ok(None) => {}
        Ok(Some(_)) => return,
        Err(error) => {
            tracing::warn!(%error, "what a refused registration kept stays behind");
            return;
        }
    }
    if let Err(error) = service.credentials.remove(user).await {
        tracing::warn!(%error, "the credential of a refused registration stays behind");
    }
    if let Err(error) = service.platform.keyring.destroy(user).await {
        tracing::warn!(%error, "the data key of a refused registration stays behind");
    }
}
