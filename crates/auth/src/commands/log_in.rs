//! `POST /api/auth/login`: somebody proves a password and starts a session. Needs no PostgreSQL.

use axum::extract::State;
use doran_contract::{ErrorCode, SessionId, UserId, id::created_by, session::Tokens, subject};
use doran_eventstore::{CommandContext, event_id};
use doran_platform::{
    http::{Body, CommandHeaders, Refusal, Success, valid},
    keyring::Place,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::SOURCE;
use crate::{
    session::{Command, Start},
    state::Service,
    throttle::Address,
};

/// Has no credential; stands in for whoever has no account.
const NOBODY: UserId = UserId::new(Uuid::nil());

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(length(chars, min = 1, max = 254))]
    email: String,
    #[garde(length(chars, min = 1, max = 1000))]
    password: String,
    #[garde(
        length(chars, max = 100),
        custom(valid::optional_without_control_characters)
    )]
    device: Option<String>,
}

pub(crate) async fn log_in(
    State(service): State<Service>,
    address: Address,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Tokens>, Refusal> {
    let begun = Box::pin(begin_session(&service, address, &headers, body)).await;
    let outcome = begun.as_ref().map_or_else(failure, |_| "succeeded");
    metrics::counter!("auth_log_ins_total", "outcome" => outcome).increment(1);
    begun
}

/// For the figures.
fn failure(refusal: &Refusal) -> &'static str {
    let expected = [
        (ErrorCode::InvalidCredentials, "wrong"),
        (ErrorCode::RateLimited, "throttled"),
        (ErrorCode::AccountInactive, "locked"),
    ];
    let outcome = expected
        .into_iter()
        .find(|(code, _)| *code == refusal.code());
    outcome.map_or("failed", |(_, outcome)| outcome)
}

async fn begin_session(
    service: &Service,
    address: Address,
    headers: &CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Tokens>, Refusal> {
    let request = body.value;
    let user = Box::pin(prove(service, &request, address)).await?;
    service.admit(user).await?;
    let ctx = headers.context(&service.platform, SOURCE, Some(user), &body.raw);
    let session = SessionId::new(created_by(ctx.command_id));
    let issued = service.refresh_tokens.issue(session);
    let renewal = service.renewal(&issued);
    let start = Start {
        session_id: session,
        user_id: user,
        device: seal_device(service, &ctx, session, (user, request.device)).await?,
        renewal: renewal.clone(),
    };
    let id = session.to_string();
    let mut outcome = service
        .sessions
        .execute(&(), &id, Command::Start(start), &ctx)
        .await?;
    if outcome.replayed {
        // The first answer's token is not kept anywhere, so the session gets one more.
        let again = CommandContext {
            command_id: service.platform.clock.new_id(),
            ..ctx
        };
        let reissue = Command::Reissue(renewal.clone());
        outcome = service.sessions.execute(&(), &id, reissue, &again).await?;
    }
    let tokens = service
        .tokens(user, session, renewal.at, issued.text)
        .await?;
    Ok(Success::ok(tokens)
        .at(&outcome.position)
        .version(outcome.sequence))
}

/// Whose password it is. An unknown address takes the same steps and as long as a wrong password,
/// and waits as long after too many tries.
async fn prove(service: &Service, request: &Request, address: Address) -> Result<UserId, Refusal> {
    let email_key = service.platform.blinder.email_key(&request.email);
    let attempt = service.throttle.begin(&email_key, address).await?;
    let owner = match owner(service, &email_key, &request.password).await {
        Ok(owner) => owner,
        Err(fault) => {
            attempt.withdrawn().await?;
            return Err(fault);
        }
    };
    let owner = owner.ok_or_else(|| {
        Refusal::new(
            ErrorCode::InvalidCredentials,
            "the e-mail address or the password is wrong",
        )
    })?;
    attempt.succeeded().await?;
    Ok(owner)
}

/// None if nobody has the address, or another password.
async fn owner(
    service: &Service,
    email_key: &str,
    password: &str,
) -> Result<Option<UserId>, Refusal> {
    let owner = service.user_log.claim_owner("email", email_key).await?;
    let owner: Option<UserId> = owner.and_then(|id| id.parse().ok());
    let hash = service.credentials.find(owner.unwrap_or(NOBODY)).await?;
    let passwords = &service.platform.passwords;
    let is_right = passwords.verify(password, hash.as_ref()).await?;
    Ok(owner.filter(|_| is_right))
}

async fn seal_device(
    service: &Service,
    ctx: &CommandContext,
    session: SessionId,
    (user, device): (UserId, Option<String>),
) -> Result<Option<doran_contract::Sealed>, Refusal> {
    let Some(device) = device.filter(|device| !device.trim().is_empty()) else {
        return Ok(None);
    };
    let place = Place {
        subject: &subject::session(session, "SessionStarted"),
        event_id: event_id(ctx.command_id, 0),
        field: "device",
    };
    Ok(Some(
        service.platform.keyring.seal(user, place, &device).await?,
    ))
}
