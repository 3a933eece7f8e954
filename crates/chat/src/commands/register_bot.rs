//! `POST /api/chat/bots`: an administrator registers a bot. Only this answer has its secret and its
//! token.

use axum::extract::State;
use doran_contract::{UserId, bot::Bot as Answer, id::created_by};
use doran_platform::http::{Admin, Body, CommandHeaders, Refusal, Success, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    SOURCE,
    bot_answer::{Shown, bot_answer},
    rules::{MAX_BOT_NAME_CHARS, MAX_URL_CHARS, trimmed},
};
use crate::{
    bot::{Command, Error, Profile},
    bots::check_url,
    state::Service,
};

/// Each has consumers of its own in the log.
const MAX_BOTS: usize = 100;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(
        length(chars, min = 1, max = MAX_BOT_NAME_CHARS),
        custom(valid::not_blank),
        custom(valid::no_control_characters)
    )]
    name: String,
    #[garde(
        length(chars, max = MAX_URL_CHARS),
        custom(valid::optional_without_control_characters)
    )]
    picture: Option<String>,
    /// A bot without one is not called, and speaks by its token.
    #[garde(length(chars, max = MAX_URL_CHARS))]
    webhook_url: Option<String>,
}

pub(crate) async fn register_bot(
    State(service): State<Service>,
    Admin(actor): Admin,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Answer>, Refusal> {
    let request = body.value;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let id = UserId::new(created_by(ctx.command_id));
    let url = request.webhook_url.as_deref().and_then(trimmed);
    if let Some(url) = &url {
        require_url(&service, url)?;
    }
    if service.bots.all().await.len() > MAX_BOTS && service.bots.get(id).is_none() {
        return Err(Error::TooMany.into());
    }
    let profile = Profile {
        name: request.name.trim().to_owned(),
        picture: request.picture.as_deref().and_then(trimmed),
        sealed_webhook: url.map(|url| service.bot_keys.seal_webhook(id, &url)),
    };
    let outcome = service
        .bot_store
        .execute(
            &(),
            &id.to_string(),
            Command::Register { id, profile },
            &ctx,
        )
        .await?;
    let answer = bot_answer(&service, id, &outcome, Shown::ALL).await?;
    Ok(Success::created(&format!("/api/chat/bots/{id}"), answer)
        .at(&outcome.position)
        .version(outcome.sequence))
}

pub(super) fn require_url(service: &Service, url: &str) -> Result<(), Refusal> {
    let checked = check_url(url, service.platform.config.dev);
    checked
        .map(drop)
        .map_err(|reason| Refusal::invalid_field("webhookUrl", reason.to_string()))
}
