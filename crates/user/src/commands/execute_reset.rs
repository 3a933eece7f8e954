//! `POST /api/auth/password/reset/execute`: whoever has the token from the mail sets a password,
//! and every session of the account ends.
//!
//! The hash is replaced before the log says so, and only in the place of the one for which the
//! token was made: of two who use it at once, one does. After a stop in between, the same request
//! again adds the event.

use axum::extract::State;
use doran_contract::user::PasswordChange;
use doran_eventstore::{CommandContext, ExecuteError};
use doran_platform::http::{Body, CommandHeaders, Refusal, Success, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SOURCE;
use crate::{
    reset_token::Reset,
    state::Service,
    user::{Command, Error},
};

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(length(chars, min = 1, max = 200))]
    token: String,
    #[garde(
        length(chars, min = 8, max = 100),
        custom(valid::no_control_characters)
    )]
    new_password: String,
}

pub(crate) async fn execute_reset(
    State(service): State<Service>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<()>, Refusal> {
    let reset = service.reset_tokens.find(&body.value.token).await?;
    let reset = reset.ok_or(Error::ResetToken)?;
    let ctx = headers.context(&service.platform, SOURCE, Some(reset.user), &body.raw);
    let id = reset.user.to_string();
    // What would be refused must be refused before the hash is another one.
    let standing = service.users.execute(&(), &id, Command::Keep, &ctx).await;
    match standing {
        Err(ExecuteError::Refused(Error::NotFound)) => return Err(Error::ResetToken.into()),
        other => drop(other?),
    }
    replace(&service, reset, &body.value.new_password).await?;
    let note = Command::NotePassword {
        reason: PasswordChange::Reset,
        kept_session_id: None,
    };
    let ctx = CommandContext {
        expected_sequence: None,
        ..ctx
    };
    let outcome = service.users.execute(&(), &id, note, &ctx).await?;
    service.reset_tokens.forget(reset.user).await?;
    Ok(Success::ok(()).at(&outcome.position))
}

async fn replace(service: &Service, reset: Reset, password: &str) -> Result<(), Refusal> {
    let current = service.credentials.current(reset.user).await?;
    let current = current.ok_or(Error::ResetToken)?;
    let passwords = &service.platform.passwords;
    if current.revision != reset.credential {
        // An earlier try of this request may have replaced it.
        let is_done = passwords.verify(password, Some(&current.hash)).await?;
        return if is_done {
            Ok(())
        } else {
            Err(Error::ResetToken.into())
        };
    }
    let hash = passwords.hash(password).await?;
    let credentials = &service.credentials;
    let is_replaced = credentials.replace(reset.user, &hash, reset.credential);
    if is_replaced.await? {
        Ok(())
    } else {
        Err(Error::ResetToken.into())
    }
}
