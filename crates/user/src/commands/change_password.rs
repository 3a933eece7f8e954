//! `PUT /api/users/{id}/password`: somebody who knows the current password takes another one, and
//! every other session of theirs ends.
//!
//! The hash is replaced before the log says so. After a stop in between the new password is the
//! one that works, and the same request again adds the event.

use axum::extract::State;
use doran_contract::{
    UserId,
    user::{PasswordChange, User as Profile},
};
use doran_eventstore::{CommandContext, ExecuteError};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SOURCE;
use crate::{
    access::require_self,
    state::Service,
    user::{Command, Error},
};

/// How often the hash is looked at again that somebody else replaced meanwhile.
const TRIES: usize = 3;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(length(chars, min = 1, max = 1000))]
    current_password: String,
    #[garde(
        length(chars, min = 8, max = 100),
        custom(valid::no_control_characters)
    )]
    new_password: String,
}

pub(crate) async fn change_password(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Profile>, Refusal> {
    require_self(&actor, user)?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let id = user.to_string();
    // What would be refused must be refused before the hash is another one.
    let before = service.users.execute(&(), &id, Command::Keep, &ctx).await?;
    let outcome = if before.replayed {
        before
    } else {
        replace(&service, user, &body.value).await?;
        let ctx = CommandContext {
            expected_sequence: None,
            ..ctx
        };
        let note = Command::NotePassword {
            reason: PasswordChange::Changed,
            kept_session_id: Some(actor.session_id),
        };
        service.users.execute(&(), &id, note, &ctx).await?
    };
    let profile = service.platform.profiles.at(user, outcome.sequence).await?;
    let profile = profile.ok_or(Error::NotFound)?;
    Ok(Success::ok(profile.user.clone())
        .at(&outcome.position)
        .version(outcome.sequence))
}

async fn replace(service: &Service, user: UserId, request: &Request) -> Result<(), Refusal> {
    let passwords = &service.platform.passwords;
    for _ in 0..TRIES {
        let Some(current) = service.credentials.current(user).await? else {
            return Err(Error::WrongPassword.into());
        };
        let hash = Some(&current.hash);
        if !passwords.verify(&request.current_password, hash).await? {
            // An earlier try of this request may have replaced it already.
            let is_done = passwords.verify(&request.new_password, hash).await?;
            return if is_done {
                Ok(())
            } else {
                Err(Error::WrongPassword.into())
            };
        }
        let new = passwords.hash(&request.new_password).await?;
        let credentials = &service.credentials;
        if credentials.replace(user, &new, current.revision).await? {
            return Ok(());
        }
    }
    Err(ExecuteError::<Error>::Conflict.into())
}
