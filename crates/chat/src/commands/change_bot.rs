//! `PATCH /api/chat/bots/{id}`: an administrator changes how a bot looks and where it is called, or
//! has it given another secret or token. Only this answer has the new one.

use axum::extract::State;
use doran_contract::{UserId, bot::Bot as Answer};
use doran_platform::http::{Admin, Body, CommandHeaders, Id, Refusal, Success, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    SOURCE,
    bot_answer::{Shown, bot_answer},
    register_bot::require_url,
    rules::{self, MAX_BOT_NAME_CHARS, MAX_URL_CHARS, trimmed},
};
use crate::{
    bot::{Change, Command, Error},
    state::Service,
};

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(
        length(chars, min = 1, max = MAX_BOT_NAME_CHARS),
        inner(custom(valid::not_blank), custom(valid::no_control_characters))
    )]
    name: Option<String>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "rules::present")]
    #[garde(inner(inner(
        length(chars, max = MAX_URL_CHARS),
        custom(valid::no_control_characters)
    )))]
    #[expect(
        clippy::option_option,
        reason = "not there, null, or a text: three cases"
    )]
    picture: Option<Option<String>>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "rules::present")]
    #[garde(inner(inner(length(chars, max = MAX_URL_CHARS))))]
    #[expect(
        clippy::option_option,
        reason = "not there, null, or a text: three cases"
    )]
    webhook_url: Option<Option<String>>,
    #[serde(default)]
    #[garde(skip)]
    rotate_secret: bool,
    #[serde(default)]
    #[garde(skip)]
    rotate_token: bool,
}

pub(crate) async fn change_bot(
    State(service): State<Service>,
    Admin(actor): Admin,
    Id(id): Id<UserId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Answer>, Refusal> {
    let request = body.value;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let known = service.bots.find(id).await.ok_or(Error::NotFound)?;
    if known.is_built_in() {
        return Err(Error::BuiltIn.into());
    }
    let before = known.webhook(&service.bot_keys)?;
    let webhook = request
        .webhook_url
        .map(|url| url.as_deref().and_then(trimmed));
    if let Some(Some(url)) = &webhook {
        require_url(&service, url)?;
    }
    // Sealed twice the same URL looks like another.
    let webhook = webhook.filter(|url| *url != before);
    let seal = |url: String| service.bot_keys.seal_webhook(id, &url);
    let change = Change {
        name: request.name.map(|name| name.trim().to_owned()),
        picture: request.picture.map(|url| url.as_deref().and_then(trimmed)),
        sealed_webhook: webhook.map(|url| url.map(seal)),
        rotate_secret: request.rotate_secret,
        rotate_token: request.rotate_token,
    };
    let shown = Shown {
        secret: change.rotate_secret,
        token: change.rotate_token,
    };
    let outcome = service
        .bot_store
        .execute(&(), &id.to_string(), Command::Change(change), &ctx)
        .await?;
    let answer = bot_answer(&service, id, &outcome, shown).await?;
    Ok(Success::ok(answer)
        .at(&outcome.position)
        .version(outcome.sequence))
}
