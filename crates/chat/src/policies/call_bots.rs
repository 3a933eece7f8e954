//! What somebody says in a room of a bot is to be told to the bot. The call itself may take long
//! and fail, so it only goes into the bot's lane here.

use std::time::Duration;

use async_nats::{HeaderMap, header::NATS_MESSAGE_ID};
use async_trait::async_trait;
use doran_contract::{
    UserId,
    events::{MESSAGE_EVENTS, MessageEvent, MessageSent},
    message::SenderType,
    subject::{MESSAGE_STREAM, Subject},
};
use doran_eventstore::{BoxError, Recorded};
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};
use tokio::time::timeout;

use crate::{bots::Call, commands::SOURCE, state::Service};

const DEADLINE: Duration = Duration::from_secs(5);

pub const CALL_BOTS: Declaration = Declaration {
    service: SOURCE,
    name: "bots-are-called",
    version: 1,
    stream: MESSAGE_STREAM,
    // The shard of all rooms with a bot, and of few others.
    filters: &["message.31.*.MessageSent"],
    start: Start::New,
};

pub(crate) struct CallBots(pub(crate) Service);

/// Whom a message is told to: the room's bot while there is one, and never what a bot said.
fn react(sent: &MessageSent, bot: Option<UserId>) -> Option<UserId> {
    match sent.sender_type {
        SenderType::User => bot,
        SenderType::Bot | SenderType::System => None,
    }
}

impl CallBots {
    async fn bot_of(&self, event: &Recorded) -> Option<UserId> {
        let Some(Subject::Message { room, .. }) = Subject::parse(&event.subject) else {
            return None;
        };
        let Self(service) = self;
        let look = || service.directory.look(room, |entry| entry.bot_id);
        if look().is_none() {
            // Its creation may not have been heard of here.
            service.directory.catch_up(room).await;
        }
        look().flatten()
    }
}

#[async_trait]
impl Policy for CallBots {
    type Command = Call;

    fn declaration(&self) -> Declaration {
        CALL_BOTS
    }

    async fn concerns(&self, event: &Recorded) -> bool {
        self.bot_of(event).await.is_some()
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<Call>, Failure> {
        let MessageEvent::MessageSent(sent) = event.decode(&event_schema(MESSAGE_EVENTS))? else {
            return Ok(Vec::new());
        };
        let bot = match self.bot_of(event).await {
            Some(bot) if self.0.bots.find(bot).await.is_some() => Some(bot),
            Some(_) | None => None,
        };
        let bot = react(&sent, bot);
        let call = bot.map(|bot_id| Call {
            delivery_id: CALL_BOTS.command_id(event, &bot_id.to_string()),
            bot_id,
            room_id: sent.room_id,
            seq: event.sequence,
        });
        Ok(call.into_iter().collect())
    }

    async fn execute(&self, _event: &Recorded, call: Call) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        // Put there twice it is there once.
        headers.insert(NATS_MESSAGE_ID, call.delivery_id.to_string());
        let body = serde_json::to_vec(&call).map_err(Failure::permanent)?;
        let js = &self.0.platform.js;
        let stored = async {
            let subject = call.subject();
            js.publish_with_headers(subject, headers, body.into())
                .await?
                .await?;
            Ok::<_, BoxError>(())
        };
        let stored = timeout(DEADLINE, stored).await;
        stored
            .map_err(Failure::transient)?
            .map_err(Failure::transient)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::types::Uuid;

    use super::*;

    fn said_by(sender_type: &str) -> MessageSent {
        let nil = Uuid::nil();
        let sent = json!({
            "messageId": nil, "roomId": nil, "senderId": nil, "senderType": sender_type,
            "content": { "key": nil, "data": "" }, "contentType": "text",
            "clientMessageId": "x", "replyTo": null, "mentions": [],
        });
        serde_json::from_value(sent).unwrap()
    }

    #[test]
    fn what_people_say_is_told_to_the_bot_of_the_room_and_what_bots_say_to_nobody() {
        let bot = Some(UserId::new(Uuid::from_u128(7)));
        assert_eq!(react(&said_by("user"), bot), bot);
        assert_eq!(react(&said_by("user"), None), None);
        assert_eq!(react(&said_by("bot"), bot), None);
        assert_eq!(react(&said_by("system"), bot), None);
    }
}
