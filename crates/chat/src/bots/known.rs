//! The bots there are, in memory, kept fresh by the log; and the one that is in no log.

use std::collections::HashMap;

use cqrs_es::Aggregate;
use doran_contract::{
    Timestamp, UserId,
    bot::{Bot as Answer, ECHO, ECHO_NAME},
    events::{BOT_EVENTS, BotEvent},
    subject::BOT_STREAM,
};
use doran_eventstore::{Logs, Recorded};
use doran_platform::{Lifecycle, event_schema, http::Refusal};
use doran_projection::memory::{Fold, FoldError, MemoryModel, Start, StartError};

use super::Keys;
use crate::bot::{Bot, Details, Profile};

/// How long a question about an unknown bot may wait for the log.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct KnownBot {
    pub(crate) details: Details,
    /// When it was registered and last changed; none of the built-in bot.
    pub(crate) since: Option<(Timestamp, Timestamp)>,
}

impl KnownBot {
    pub(crate) fn is_built_in(&self) -> bool {
        self.details.id == ECHO
    }

    pub(crate) fn webhook(&self, keys: &Keys) -> Result<Option<String>, Refusal> {
        let webhook = keys.open_webhook(&self.details);
        webhook.map_err(|error| Refusal::internal(&error))
    }

    /// As administrators see it.
    pub(crate) fn answer(&self, keys: &Keys) -> Result<Answer, Refusal> {
        Ok(Answer {
            id: self.details.id,
            name: self.details.profile.name.clone(),
            picture: self.details.profile.picture.clone(),
            webhook_url: self.webhook(keys)?,
            built_in: self.is_built_in(),
            secret: None,
            token: None,
            created_at: self.since.map(|(registered, _)| registered),
            updated_at: self.since.map(|(_, changed)| changed),
        })
    }

    fn echo() -> Self {
        let profile = Profile {
            name: ECHO_NAME.to_owned(),
            picture: None,
            sealed_webhook: None,
        };
        Self {
            details: Details {
                id: ECHO,
                profile,
                secret: 0,
                token: 0,
            },
            since: None,
        }
    }
}

#[derive(Debug, Default)]
struct AllBots(HashMap<UserId, Entry>);

#[derive(Debug)]
struct Entry {
    bot: Bot,
    registered_at: Timestamp,
    changed_at: Timestamp,
}

impl Fold for AllBots {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        let decoded: BotEvent = event.decode(&event_schema(BOT_EVENTS))?;
        let id = match &decoded {
            BotEvent::BotRegistered(event) => event.bot_id,
            BotEvent::BotChanged(event) => event.bot_id,
            BotEvent::BotKeysRotated(event) => event.bot_id,
            BotEvent::BotRemoved(event) => event.bot_id,
        };
        let time = event.time.into();
        let entry = self.0.entry(id).or_insert_with(|| Entry {
            bot: Bot::default(),
            registered_at: time,
            changed_at: time,
        });
        entry.bot.apply(decoded);
        entry.changed_at = time;
        Ok(())
    }
}

impl Entry {
    fn known(&self) -> Option<KnownBot> {
        let details = self.bot.details()?.clone();
        let since = Some((self.registered_at, self.changed_at));
        Some(KnownBot { details, since })
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bots(MemoryModel<AllBots>);

impl Bots {
    pub(crate) async fn start(logs: &Logs, lifecycle: &Lifecycle) -> Result<Self, StartError> {
        MemoryModel::start(
            logs.clone(),
            BOT_STREAM,
            &["bot.*.*"],
            Start::First,
            AllBots::default(),
            lifecycle.into(),
        )
        .await
        .map(Self)
    }

    /// The bot as far as this process has read the log. Removed ones are none.
    pub(crate) fn get(&self, bot: UserId) -> Option<KnownBot> {
        if bot == ECHO {
            return Some(KnownBot::echo());
        }
        self.0.read(|all| all.0.get(&bot).and_then(Entry::known))
    }

    /// The bot, also if it was registered a moment ago by another process.
    pub(crate) async fn find(&self, bot: UserId) -> Option<KnownBot> {
        let known = self.get(bot);
        if known.is_some() {
            return known;
        }
        self.catch_up(&format!("bot.{bot}.*")).await;
        self.get(bot)
    }

    /// All that the log holds when this is asked: the built-in one, then the oldest first.
    pub(crate) async fn all(&self) -> Vec<KnownBot> {
        self.catch_up("bot.*.*").await;
        self.list()
    }

    /// As [`Bots::all`], as far as this process has read the log.
    pub(crate) fn list(&self) -> Vec<KnownBot> {
        let registered = |all: &AllBots| all.0.values().filter_map(Entry::known).collect();
        let mut bots: Vec<KnownBot> = self.0.read(registered);
        let age = |bot: &KnownBot| bot.since.map(|(registered, _)| registered.as_datetime());
        bots.sort_by_key(|bot| (age(bot), bot.details.id));
        bots.insert(0, KnownBot::echo());
        bots
    }

    /// Waits until everything that the log holds of a bot has been read.
    pub(crate) async fn catch_up(&self, filter: &str) {
        if let Err(error) = self.0.catch_up(filter, PATIENCE).await {
            tracing::warn!(%error, "cannot ask the log about bots");
        }
    }

    pub(crate) fn model(&self) -> &MemoryModel<impl Fold + use<>> {
        &self.0
    }
}
