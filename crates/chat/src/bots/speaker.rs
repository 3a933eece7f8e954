//! Who speaks over HTTP: a person with an access token, or a bot with its own.

use axum::{extract::FromRequestParts, http::request::Parts};
use doran_contract::UserId;
use doran_platform::http::{
    Actor, Bearer, Refusal, RefuseToken,
    openapi::{Sketch, Takes},
};

use super::Keys;
use crate::state::Service;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Speaker {
    Person(UserId),
    Bot(UserId),
}

impl Speaker {
    pub(crate) fn id(self) -> UserId {
        match self {
            Self::Person(id) | Self::Bot(id) => id,
        }
    }
}

impl Takes for Speaker {
    fn describe(sketch: &mut Sketch<'_>) {
        Actor::describe(sketch);
    }
}

impl FromRequestParts<Service> for Speaker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Refusal> {
        let Bearer(token) = Bearer::from_request_parts(parts, service).await?;
        let Some(claimed) = Keys::claimed(&token) else {
            let actor = Actor::from_request_parts(parts, service).await?;
            return Ok(Self::Person(actor.user_id));
        };
        let bot = service.bots.find(claimed).await;
        match bot.filter(|bot| !bot.is_built_in()) {
            Some(bot) if service.bot_keys.is_token(&bot.details, &token) => Ok(Self::Bot(claimed)),
            Some(_) | None => Err(RefuseToken::Invalid.into()),
        }
    }
}
