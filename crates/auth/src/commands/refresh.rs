//! `POST /api/auth/refresh`: a refresh token for a new pair of tokens. Needs no PostgreSQL.

use axum::extract::State;
use doran_contract::{ErrorCode, session::Tokens};
use doran_eventstore::CommandContext;
use doran_platform::http::{Body, CommandHeaders, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SOURCE, on_session};
use crate::{
    session::{Command, Error, Session},
    state::Service,
};

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(length(bytes, max = 1000))]
    refresh_token: String,
}

pub(crate) async fn refresh(
    State(service): State<Service>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Tokens>, Refusal> {
    let presented = service.refresh_tokens.read(&body.value.refresh_token);
    let presented = presented.ok_or_else(unknown)?;
    let session = presented.session;
    let id = session.to_string();
    let loaded = service.sessions.load(&id).await?;
    let user = loaded
        .and_then(|loaded| loaded.aggregate.user())
        .ok_or_else(unknown)?;
    service.admit(user).await?;

    let issued = service.refresh_tokens.issue(session);
    let renewal = service.renewal(&issued);
    let command = Command::Refresh {
        presented: presented.hash,
        renewal: renewal.clone(),
    };
    let ctx = headers.context(&service.platform, SOURCE, None, &body.raw);
    let ctx = on_session(&ctx, session);
    let mut outcome = service
        .sessions
        .execute(&(), &id, command.clone(), &ctx)
        .await?;
    if outcome.replayed {
        // The first answer's token is not kept anywhere. The grace decides about another one.
        let again = CommandContext {
            command_id: service.platform.clock.new_id(),
            ..ctx
        };
        outcome = service.sessions.execute(&(), &id, command, &again).await?;
    }
    if let Session::Ended(_) = outcome.aggregate {
        return Err(Error::Ended.into());
    }
    let tokens = service
        .tokens(user, session, renewal.at, issued.text)
        .await?;
    Ok(Success::ok(tokens)
        .at(&outcome.position)
        .version(outcome.sequence))
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::Unauthenticated, "the refresh token is not valid")
}
