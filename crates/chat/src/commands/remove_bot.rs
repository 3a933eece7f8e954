//! `DELETE /api/chat/bots/{id}`: an administrator takes a bot away for ever. What it said stays.

use axum::extract::State;
use doran_contract::UserId;
use doran_platform::http::{Admin, CommandHeaders, Id, Refusal, Success};

use super::SOURCE;
use crate::{
    bot::{Command, Error},
    state::Service,
};

/// Nothing is left that could be answered.
pub(crate) async fn remove_bot(
    State(service): State<Service>,
    Admin(actor): Admin,
    Id(id): Id<UserId>,
    headers: CommandHeaders,
) -> Result<Success<()>, Refusal> {
    if service.bots.get(id).is_some_and(|bot| bot.is_built_in()) {
        return Err(Error::BuiltIn.into());
    }
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    let outcome = service
        .bot_store
        .execute(&(), &id.to_string(), Command::Remove, &ctx)
        .await?;
    // Its token opens nothing from here on.
    service.bots.catch_up(&format!("bot.{id}.*")).await;
    Ok(Success::ok(())
        .at(&outcome.position)
        .version(outcome.sequence))
}
