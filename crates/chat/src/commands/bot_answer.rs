//! A bot as a command answers with it.

use doran_contract::{UserId, bot::Bot as Answer};
use doran_eventstore::Outcome;
use doran_platform::http::Refusal;

use crate::{
    bot::{Bot, Error},
    state::Service,
};

/// What of a bot's keys the answer shows, and no later one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    pub(super) secret: bool,
    pub(super) token: bool,
}

impl Shown {
    pub(super) const ALL: Self = Self {
        secret: true,
        token: true,
    };
}

/// Answers after this process has heard of it, so that the bot is there for what follows.
pub(super) async fn bot_answer(
    service: &Service,
    id: UserId,
    outcome: &Outcome<Bot>,
    shown: Shown,
) -> Result<Answer, Refusal> {
    service.bots.catch_up(&format!("bot.{id}.*")).await;
    let details = outcome.aggregate.details().ok_or(Error::NotFound)?;
    let known = service.bots.get(id).ok_or(Error::NotFound)?;
    let keys = &service.bot_keys;
    Ok(Answer {
        secret: shown.secret.then(|| keys.secret(details)),
        token: shown.token.then(|| keys.token(details)),
        ..known.answer(keys)?
    })
}
