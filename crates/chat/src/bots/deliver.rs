//! One call from what was said to what the bot answers.

use std::time::Duration;

use doran_contract::{
    ClientMessageId, MessageId, RoomId, UserId,
    bot::{Delivery, DeliveryRoom, DeliverySender},
    command::SendMessage,
    message::Message,
};
use doran_eventstore::{
    CommandContext, Recorded,
    envelope::{CORRELATION_ID, TRACEPARENT},
};
use doran_platform::http::Refusal;
use tokio::time::Instant;

use super::{
    Call, KnownBot,
    answer::Said,
    calls::Lane,
    deltas::Deltas,
    webhook::{CallError, Post},
};
use crate::{
    commands::SOURCE,
    messages::{Target, message_now, send_as_bot, sent},
};

/// What was said longer ago is not answered any more.
const PATIENCE: Duration = Duration::from_mins(15);
/// A call that failed so often is given up.
const TRIES: usize = 8;

/// What became of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// For good or ill, it is over. As metrics name it.
    Done(&'static str),
    /// It is made again, after this time if that is known.
    Again {
        name: &'static str,
        wait: Option<Duration>,
    },
}

impl Outcome {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Done(name) | Self::Again { name, .. } => name,
        }
    }

    pub(super) fn is_as_hoped(&self) -> bool {
        matches!(self.name(), ANSWERED | SILENT | GONE | UNCALLED)
    }
}

/// It failed too often.
pub(super) const GIVEN_UP: &str = "given_up";
const ANSWERED: &str = "answered";
const SILENT: &str = "silent";
/// The bot, the room or what was said is not there any more.
const GONE: &str = "gone";
/// The bot has no webhook.
const UNCALLED: &str = "uncalled";

/// What the bot is told.
struct Told {
    /// Who said it, and whose key sealed it.
    author: UserId,
    message: Message,
    room: DeliveryRoom,
    recorded: Recorded,
}

impl Lane {
    pub(super) async fn deliver(&self, call: &Call, tries: usize) -> Outcome {
        let service = &self.service;
        let Some(bot) = service.bots.get(self.bot) else {
            return Outcome::Done(GONE);
        };
        let answer = Answer::of(call);
        if service.known.find(answer.id).await.is_some() {
            // Posted by whoever made this call before and could not say so.
            return Outcome::Done(ANSWERED);
        }
        let told = match self.told(call).await {
            Ok(Some(told)) => told,
            Ok(None) => return Outcome::Done(GONE),
            Err(refusal) => return again("unavailable", &refusal),
        };
        let age = service.platform.clock.now() - told.recorded.time;
        if age.to_std().is_ok_and(|age| age > PATIENCE) {
            return Outcome::Done("expired");
        }
        match self.ask(&bot, call, &told, &answer, tries).await {
            Ok(Some(said)) => self.post(&told, answer, said).await,
            Ok(None) => Outcome::Done(SILENT),
            Err(outcome) => outcome,
        }
    }

    async fn told(&self, call: &Call) -> Result<Option<Told>, Refusal> {
        let service = &self.service;
        let Some(recorded) = service.message_log.get(call.seq).await? else {
            return Ok(None);
        };
        let sent = sent(&recorded)?;
        let author = sent.sender_id;
        let target = Target {
            recorded: recorded.clone(),
            sent,
        };
        let message = message_now(service, author, &target).await?;
        let room = service.rooms.load(&call.room_id.to_string()).await;
        let room = room.map_err(|error| Refusal::internal(&error))?;
        let room = room.as_ref().and_then(|room| room.aggregate.details());
        let (Some(room), false) = (room, message.deleted) else {
            return Ok(None);
        };
        let room = DeliveryRoom {
            id: room.id,
            name: room.name.clone(),
            kind: room.kind,
        };
        Ok(Some(Told {
            author,
            message,
            room,
            recorded,
        }))
    }

    async fn ask(
        &self,
        bot: &KnownBot,
        call: &Call,
        told: &Told,
        answer: &Answer,
        tries: usize,
    ) -> Result<Option<Said>, Outcome> {
        if bot.is_built_in() {
            let content = told.message.content.clone().unwrap_or_default();
            let content_type = told.message.content_type;
            return Ok(Some(Said {
                content,
                content_type,
            }));
        }
        let url = self.service.bot_keys.open_webhook(&bot.details);
        let url = match url {
            Ok(Some(url)) => url,
            Ok(None) => return Err(Outcome::Done(UNCALLED)),
            Err(error) => {
                tracing::error!(%error, bot = %self.bot, "the webhook of a bot cannot be opened");
                return Err(Outcome::Done("sealed"));
            }
        };
        if let Some(wait) = self.wait() {
            let name = "held_back";
            let wait = Some(wait);
            return Err(Outcome::Again { name, wait });
        }
        let body = match self.body(call, told).await {
            Ok(body) => body,
            Err(refusal) => return Err(again("unavailable", &refusal)),
        };
        let post = Post {
            url: &url,
            secret: &self.service.bot_keys.secret(&bot.details),
            delivery_id: call.delivery_id,
            time: self.service.platform.clock.now().timestamp(),
            body,
        };
        self.call(post, answer, tries).await
    }

    async fn body(&self, call: &Call, told: &Told) -> Result<Vec<u8>, Refusal> {
        let name = self.service.platform.profiles.name(told.author).await?;
        let delivery = Delivery {
            delivery_id: call.delivery_id,
            bot_id: self.bot,
            room: told.room.clone(),
            sender: DeliverySender {
                id: told.author,
                name: name.name,
            },
            message: told.message.clone(),
        };
        serde_json::to_vec(&delivery).map_err(|error| Refusal::internal(&error))
    }

    async fn call(
        &self,
        post: Post<'_>,
        answer: &Answer,
        tries: usize,
    ) -> Result<Option<Said>, Outcome> {
        let nats = self.service.platform.nats.clone();
        let mut deltas = Deltas::of(nats, answer.room, answer.id);
        let started = Instant::now();
        let called = self.service.webhooks.call(post, &mut deltas).await;
        let bot = self.bot.to_string();
        metrics::histogram!("bot_delivery_seconds", "bot" => bot).record(started.elapsed());
        let is_well = called
            .as_ref()
            .err()
            .is_none_or(|error| !error.is_retryable());
        self.note(is_well);
        called.map_err(|error| self.failed(&error, tries))
    }

    fn failed(&self, error: &CallError, tries: usize) -> Outcome {
        let reason = error as &dyn std::error::Error;
        tracing::info!(bot = %self.bot, reason, tries, "a bot's webhook fails");
        if !error.is_retryable() {
            return Outcome::Done(error.name());
        }
        if tries >= TRIES {
            return Outcome::Done(GIVEN_UP);
        }
        let name = error.name();
        Outcome::Again { name, wait: None }
    }

    async fn post(&self, told: &Told, answer: Answer, said: Said) -> Outcome {
        let header = |name| {
            let value = told.recorded.headers.get(name);
            value.map(|value| value.as_str().to_owned())
        };
        let ctx = CommandContext {
            command_id: answer.id.as_uuid(),
            time: self.service.platform.clock.now(),
            actor: Some(self.bot.to_string()),
            fingerprint: None,
            expected_sequence: None,
            correlation_id: header(CORRELATION_ID),
            causation_id: Some(told.recorded.event_id.to_string()),
            traceparent: header(TRACEPARENT),
            source: SOURCE,
        };
        let message = SendMessage {
            sender_id: self.bot,
            room_id: answer.room,
            client_message_id: answer.client_message_id,
            content: said.content,
            content_type: said.content_type,
            reply_to: None,
            mentions: Vec::new(),
            file_ids: Vec::new(),
        };
        match send_as_bot(&self.service, message, told.author, ctx).await {
            Ok(_) => Outcome::Done(ANSWERED),
            Err(refusal) if refusal.code().is_retryable() => again("unavailable", &refusal),
            // The room is not active any more, or the author's account was deleted meanwhile.
            Err(refusal) => {
                tracing::info!(bot = %self.bot, code = ?refusal.code(), "an answer is not taken");
                Outcome::Done("not_taken")
            }
        }
    }
}

fn again(name: &'static str, refusal: &Refusal) -> Outcome {
    tracing::info!(code = ?refusal.code(), "a bot cannot be called now");
    Outcome::Again { name, wait: None }
}

/// What the answer will be in the timeline, however often the call is made.
struct Answer {
    room: RoomId,
    client_message_id: ClientMessageId,
    id: MessageId,
}

impl Answer {
    fn of(call: &Call) -> Self {
        let client_message_id = ClientMessageId::from(call.delivery_id);
        Self {
            room: call.room_id,
            id: MessageId::derive(call.room_id, call.bot_id, &client_message_id),
            client_message_id,
        }
    }
}
