//! What may happen to a bot, decided without clock, randomness or I/O.

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    UserId,
    events::{BOT_EVENTS, BotChanged, BotEvent, BotKeysRotated, BotRegistered, BotRemoved},
    subject::{BOT, BOT_STREAM},
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::Error;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Bot {
    #[default]
    Unknown,
    Registered(Details),
    /// For ever.
    Removed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) id: UserId,
    pub(crate) profile: Profile,
    /// Numbers of the secret and the token that are good now.
    pub(crate) secret: u32,
    pub(crate) token: u32,
}

/// How a bot looks, and where it is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) picture: Option<String>,
    pub(crate) sealed_webhook: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Register { id: UserId, profile: Profile },
    Change(Change),
    Remove,
}

/// What is none stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    #[expect(clippy::option_option, reason = "unchanged, taken away, or a text")]
    pub(crate) picture: Option<Option<String>>,
    #[expect(clippy::option_option, reason = "unchanged, taken away, or a text")]
    pub(crate) sealed_webhook: Option<Option<String>>,
    pub(crate) rotate_secret: bool,
    pub(crate) rotate_token: bool,
}

impl Bot {
    pub(crate) fn details(&self) -> Option<&Details> {
        match self {
            Self::Registered(details) => Some(details),
            Self::Unknown | Self::Removed => None,
        }
    }

    fn decide(&self, command: Command) -> Result<Vec<BotEvent>, Error> {
        match (self, command) {
            (Self::Unknown, Command::Register { id, profile }) => {
                let registered = BotRegistered {
                    bot_id: id,
                    name: profile.name,
                    picture: profile.picture,
                    sealed_webhook: profile.sealed_webhook,
                };
                Ok(vec![registered.into()])
            }
            // A bot's id follows from the command that registered it: it is this one.
            (Self::Registered(_), Command::Register { .. }) => Ok(Vec::new()),
            (Self::Registered(details), Command::Change(change)) => {
                Ok(details.decide_change(change))
            }
            (Self::Registered(details), Command::Remove) => {
                let bot_id = details.id;
                Ok(vec![BotRemoved { bot_id }.into()])
            }
            (Self::Unknown | Self::Removed, _) => Err(Error::NotFound),
        }
    }
}

impl Details {
    fn decide_change(&self, change: Change) -> Vec<BotEvent> {
        let bot_id = self.id;
        let mut events = Vec::new();
        let before = self.profile.clone();
        let profile = Profile {
            name: change.name.unwrap_or(before.name),
            picture: change.picture.unwrap_or(before.picture),
            sealed_webhook: change.sealed_webhook.unwrap_or(before.sealed_webhook),
        };
        if profile != self.profile {
            let changed = BotChanged {
                bot_id,
                name: profile.name,
                picture: profile.picture,
                sealed_webhook: profile.sealed_webhook,
            };
            events.push(changed.into());
        }
        if change.rotate_secret || change.rotate_token {
            let rotated = BotKeysRotated {
                bot_id,
                secret: self.secret + u32::from(change.rotate_secret),
                token: self.token + u32::from(change.rotate_token),
            };
            events.push(rotated.into());
        }
        events
    }
}

impl Aggregate for Bot {
    const TYPE: &'static str = BOT;
    type Command = Command;
    type Event = BotEvent;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: BotEvent) {
        match (&mut *self, event) {
            (Self::Unknown, BotEvent::BotRegistered(registered)) => {
                *self = Self::Registered(Details {
                    id: registered.bot_id,
                    profile: Profile {
                        name: registered.name,
                        picture: registered.picture,
                        sealed_webhook: registered.sealed_webhook,
                    },
                    secret: 0,
                    token: 0,
                });
            }
            (Self::Registered(details), BotEvent::BotChanged(changed)) => {
                details.profile = Profile {
                    name: changed.name,
                    picture: changed.picture,
                    sealed_webhook: changed.sealed_webhook,
                };
            }
            (Self::Registered(details), BotEvent::BotKeysRotated(rotated)) => {
                (details.secret, details.token) = (rotated.secret, rotated.token);
            }
            (Self::Registered(_), BotEvent::BotRemoved(_)) => *self = Self::Removed,
            (Self::Registered(_), BotEvent::BotRegistered(_))
            | (Self::Unknown | Self::Removed, _) => {}
        }
    }
}

impl EventSourced for Bot {
    const STREAM: &'static str = BOT_STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        event_schema(BOT_EVENTS)
    }

    /// Bots claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::NotFound
    }
}

#[cfg(test)]
mod tests {
    use sqlx::types::Uuid;

    use super::*;

    const ID: UserId = UserId::new(Uuid::from_u128(7));

    fn profile() -> Profile {
        Profile {
            name: "날씨".to_owned(),
            picture: None,
            sealed_webhook: Some("sealed".to_owned()),
        }
    }

    fn registered() -> Bot {
        let mut bot = Bot::default();
        let profile = profile();
        carry_out(&mut bot, Command::Register { id: ID, profile });
        bot
    }

    /// Names of the events that the command leads to.
    fn carry_out(bot: &mut Bot, command: Command) -> Vec<&'static str> {
        let events = bot.decide(command).unwrap();
        let names = events.iter().map(BotEvent::name).collect();
        for event in events {
            bot.apply(event);
        }
        names
    }

    #[test]
    fn the_same_change_twice_yields_no_second_event_and_a_rotation_always_does() {
        let mut bot = registered();
        let renamed = Change {
            name: Some("비".to_owned()),
            ..Change::default()
        };
        let change = Command::Change(renamed);
        assert_eq!(carry_out(&mut bot, change.clone()), ["BotChanged"]);
        assert!(carry_out(&mut bot, change).is_empty());
        let rotation = Change {
            rotate_token: true,
            ..Change::default()
        };
        for number in 1..3 {
            let rotate = Command::Change(rotation.clone());
            assert_eq!(carry_out(&mut bot, rotate), ["BotKeysRotated"]);
            let details = bot.details().unwrap();
            assert_eq!((details.secret, details.token), (0, number));
        }
    }

    #[test]
    fn a_removed_bot_is_gone_for_ever() {
        let mut bot = registered();
        assert_eq!(carry_out(&mut bot, Command::Remove), ["BotRemoved"]);
        assert_eq!(bot.details(), None);
        let again = Command::Register {
            id: ID,
            profile: profile(),
        };
        for command in [again, Command::Remove, Command::Change(Change::default())] {
            assert_eq!(bot.decide(command), Err(Error::NotFound));
        }
    }
}
