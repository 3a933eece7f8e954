//! `POST /api/auth/password/reset/request`: a token goes to the address, if it is somebody's.
//!
//! The answer, and how long it takes, are the same for an address that nobody has: what differs
//! happens after it.

use std::sync::Arc;

use axum::extract::State;
use doran_contract::UserId;
use doran_platform::{
    http::{Body, Refusal, Success},
    mail::{Mail, MailError},
    profile::ProfileError,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    reset_token::{LIFE_MINUTES, Reset, ResetTokenError},
    state::Service,
    user::EMAIL_CLAIM,
};

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(email, length(chars, max = 254))]
    email: String,
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Credential(#[from] doran_platform::credentials::CredentialError),
    #[error(transparent)]
    Token(#[from] ResetTokenError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Mail(#[from] MailError),
}

pub(crate) async fn request_reset(
    State(service): State<Service>,
    body: Body<Request>,
) -> Result<Success<()>, Refusal> {
    let key = service.platform.blinder.email_key(&body.value.email);
    let owner = service.log.claim_owner(EMAIL_CLAIM, &key).await?;
    let user: Option<UserId> = owner.and_then(|owner| owner.parse().ok());
    if let Some(user) = user {
        let Ok(turn) = Arc::clone(&service.mails).try_acquire_owned() else {
            tracing::warn!("too many mails are on their way; a password reset is not sent");
            return Ok(Success::accepted(()));
        };
        let sender = service.clone();
        service.platform.lifecycle.spawn(async move {
            if let Err(error) = send(&sender, user).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, %user, "a password reset is not sent");
            }
            drop(turn);
        });
    }
    Ok(Success::accepted(()))
}

async fn send(service: &Service, user: UserId) -> Result<(), SendError> {
    let Some(current) = service.credentials.current(user).await? else {
        return Ok(());
    };
    let Some(profile) = service.platform.profiles.find(user).await? else {
        return Ok(());
    };
    let Some(email) = profile.user.email.as_deref() else {
        return Ok(());
    };
    let reset = Reset {
        user,
        credential: current.revision,
    };
    if let Some(token) = service.reset_tokens.issue(reset).await? {
        let mail = Mail {
            to: email,
            subject: "Set a new password",
            text: text(&service.platform.config.public_url, &token),
        };
        service.mailer.send(mail).await?;
    }
    Ok(())
}

/// The token has a line of its own, short enough to stay whole.
fn text(public_url: &str, token: &str) -> String {
    format!(
        "Somebody, hopefully you, wants to set a new password for your DoranDoran account.\r\n\
         This is the token for it. It serves once, for {LIFE_MINUTES} minutes:\r\n\
         \r\n\
         {token}\r\n\
         \r\n\
         {public_url}/#reset={token}\r\n\
         \r\n\
         If it was not you, do nothing: your password stays as it is.\r\n\
         \r\n\
         비밀번호를 새로 정하려면 위의 링크를 여세요. 요청하지 않으셨다면 무시하셔도 됩니다.\r\n"
    )
}
