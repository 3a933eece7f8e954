//! The one place where subjects are written and read.
//!
//! `user.<user>.<Type>`, `chatroom.<room>.<Type>`, `session.<session>.<Type>`, `bot.<bot>.<Type>`,
//! `message.<shard>.<room>.<Type>`, `bookmark.<user>.<Type>`, `file.<file>.<Type>`,
//! `job.<name>.<Type>`, `claim.email.<hmac>`; republished under `live.`. No event, but work to be
//! done: `schedule.<job>`, `due.<job>`.

use crate::{
    FileId, RoomId, SessionId, UserId,
    events::{
        BOOKMARK_EVENTS, BOT_EVENTS, FILE_EVENTS, JOB_EVENTS, MESSAGE_EVENTS, ROOM_EVENTS,
        SESSION_EVENTS, USER_EVENTS,
    },
};

/// Streams that events are written to.
pub const USER_STREAM: &str = "USER";
pub const ROOM_STREAM: &str = "CHATROOM";
pub const MESSAGE_STREAM: &str = "MESSAGE";
pub const SESSION_STREAM: &str = "SESSION";
pub const STORE_STREAM: &str = "STORE";
pub const JOB_STREAM: &str = "JOB";
/// When jobs are due, and those that are.
pub const SCHEDULE_STREAM: &str = "SCHEDULE";
pub const BOT_STREAM: &str = "BOT";
/// Work, not facts: messages that bots are to be called about.
pub const BOT_CALL_STREAM: &str = "BOT_CALL";

/// First tokens, also the aggregate types.
pub const USER: &str = "user";
pub const ROOM: &str = "chatroom";
pub const MESSAGE: &str = "message";
pub const SESSION: &str = "session";
pub const BOOKMARK: &str = "bookmark";
pub const FILE: &str = "file";
pub const JOB: &str = "job";
pub const BOT: &str = "bot";

/// Into how many parts the `MESSAGE` subjects are divided.
pub const SHARDS: u8 = 32;
/// The part in which all rooms with a bot lie; see [`RoomId::with_bot`].
pub const BOT_SHARD: u8 = 31;

const LIVE: &str = "live.";

/// What a stored event's subject speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    User {
        user: UserId,
        event_type: &'a str,
    },
    Room {
        room: RoomId,
        event_type: &'a str,
    },
    Message {
        room: RoomId,
        event_type: &'a str,
    },
    Session {
        session: SessionId,
        event_type: &'a str,
    },
    Bookmark {
        user: UserId,
        event_type: &'a str,
    },
    File {
        file: FileId,
        event_type: &'a str,
    },
    Job {
        job: &'a str,
        event_type: &'a str,
    },
    Bot {
        bot: UserId,
        event_type: &'a str,
    },
}

impl<'a> Subject<'a> {
    /// Reads a subject, with or without the `live.` of a republished one.
    pub fn parse(subject: &'a str) -> Option<Self> {
        let stored = subject.strip_prefix(LIVE).unwrap_or(subject);
        let mut tokens = stored.split('.');
        let kind = tokens.next()?;
        let parsed = match kind {
            USER => Self::User {
                user: tokens.next()?.parse().ok()?,
                event_type: tokens.next()?,
            },
            ROOM => Self::Room {
                room: tokens.next()?.parse().ok()?,
                event_type: tokens.next()?,
            },
            SESSION => Self::Session {
                session: tokens.next()?.parse().ok()?,
                event_type: tokens.next()?,
            },
            BOOKMARK => Self::Bookmark {
                user: tokens.next()?.parse().ok()?,
                event_type: tokens.next()?,
            },
            FILE => Self::File {
                file: tokens.next()?.parse().ok()?,
                event_type: tokens.next()?,
            },
            JOB => Self::Job {
                job: tokens.next()?,
                event_type: tokens.next()?,
            },
            BOT => Self::Bot {
                bot: tokens.next()?.parse().ok()?,
                event_type: tokens.next()?,
            },
            MESSAGE => {
                let shard_token = tokens.next()?;
                let room: RoomId = tokens.next()?.parse().ok()?;
                if shard_token != shard(room) {
                    return None;
                }
                Self::Message {
                    room,
                    event_type: tokens.next()?,
                }
            }
            _ => return None,
        };
        tokens.next().is_none().then_some(parsed)
    }
}

/// Two digits, 00–31, from the room id's last byte.
pub fn shard(room: RoomId) -> String {
    let [.., last] = *room.as_uuid().as_bytes();
    format!("{:02}", last % SHARDS)
}

pub fn user(user: UserId, event_type: &str) -> String {
    format!("{USER}.{user}.{event_type}")
}

pub fn session(session: SessionId, event_type: &str) -> String {
    format!("{SESSION}.{session}.{event_type}")
}

pub fn job(name: &str, event_type: &str) -> String {
    format!("{JOB}.{name}.{event_type}")
}

/// Where the schedule of a job lies.
pub fn schedule(job: &str) -> String {
    format!("schedule.{job}")
}

/// Where the server puts the job when it is due, and whoever wants it run at once.
pub fn due(job: &str) -> String {
    format!("due.{job}")
}

pub fn room(room: RoomId, event_type: &str) -> String {
    format!("{ROOM}.{room}.{event_type}")
}

pub fn message(room: RoomId, event_type: &str) -> String {
    format!("{MESSAGE}.{}.{room}.{event_type}", shard(room))
}

pub fn bookmark(user: UserId, event_type: &str) -> String {
    format!("{BOOKMARK}.{user}.{event_type}")
}

pub fn file(file: FileId, event_type: &str) -> String {
    format!("{FILE}.{file}.{event_type}")
}

/// The filter that every event of a type fits; none for a type that is in no table.
pub fn every(event_type: &str) -> Option<String> {
    let is_in = |table: &[(&str, u32)]| table.iter().any(|(name, _)| *name == event_type);
    if is_in(MESSAGE_EVENTS) {
        return Some(format!("{MESSAGE}.*.*.{event_type}"));
    }
    let tables = [
        (USER, USER_EVENTS),
        (ROOM, ROOM_EVENTS),
        (SESSION, SESSION_EVENTS),
        (BOOKMARK, BOOKMARK_EVENTS),
        (FILE, FILE_EVENTS),
        (JOB, JOB_EVENTS),
        (BOT, BOT_EVENTS),
    ];
    let (kind, _) = tables.into_iter().find(|(_, table)| is_in(table))?;
    Some(format!("{kind}.*.{event_type}"))
}

/// The claim of an e-mail address, by the HMAC of its normal form in hex.
pub fn email_claim(email_key: &str) -> String {
    format!("claim.email.{email_key}")
}

/// Where the stream republishes what it stored under `subject`.
pub fn live(subject: &str) -> String {
    format!("{LIVE}{subject}")
}

/// Where operators say something to everybody who is connected. Kept nowhere.
pub const NOTICE: &str = "notice";

/// Where gateways tell each other who types in a room. Kept nowhere.
pub fn typing(room: RoomId) -> String {
    format!("typing.{room}")
}

/// Where gateways tell each other that somebody came, rests or left. Kept nowhere.
pub fn presence(user: UserId) -> String {
    format!("presence.{user}")
}

/// The filter that every [`presence`] fits.
pub const EVERY_PRESENCE: &str = "presence.*";

/// Where a gateway asks which of them has a session of SockJS. Kept nowhere.
pub fn sockjs(session: &str) -> String {
    format!("sockjs.{}", crate::id::sockjs_session(session))
}

/// Where a message waits that a bot is to be called about.
pub fn bot_call(bot: UserId, lane: u8) -> String {
    format!("bot-call.{bot}.{lane}")
}

/// Where an answer that a bot is writing is told piece by piece. Kept nowhere.
pub fn bot_delta(room: RoomId) -> String {
    format!("bot-delta.{room}")
}

/// The filter that every [`bot_delta`] fits.
pub const EVERY_BOT_DELTA: &str = "bot-delta.*";

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_subject_reads_back_also_when_republished() {
        let id = RoomId::new(Uuid::from_u128(0x2f));
        let subject = message(id, "MessageSent");
        assert_eq!(subject, format!("message.15.{id}.MessageSent"));
        let expected = Some(Subject::Message {
            room: id,
            event_type: "MessageSent",
        });
        assert_eq!(Subject::parse(&subject), expected);
        assert_eq!(Subject::parse(&live(&subject)), expected);
    }

    #[test]
    fn every_room_with_a_bot_lies_in_one_shard_and_stays_apart_from_others() {
        for id in [0, 1, 0x1f, 0x20, 0xff, u128::MAX] {
            let room = RoomId::with_bot(Uuid::from_u128(id));
            assert_eq!(shard(room), BOT_SHARD.to_string());
            assert_eq!(room.as_uuid().as_u128() >> 5, id >> 5);
        }
    }

    #[test]
    fn one_filter_fits_every_event_of_a_type() {
        let filter = every("MessageSent").unwrap();
        let id = RoomId::new(Uuid::from_u128(1));
        let tokens = message(id, "MessageSent").split('.').count();
        assert_eq!(filter, "message.*.*.MessageSent");
        assert_eq!(filter.split('.').count(), tokens);
        assert_eq!(every("UserCreated").unwrap(), "user.*.UserCreated");
        assert_eq!(every("Nonsense"), None);
    }

    #[test]
    fn a_subject_with_a_foreign_shard_or_extra_tokens_is_refused() {
        let id = RoomId::new(Uuid::from_u128(1));
        assert_eq!(
            Subject::parse(&format!("message.31.{id}.MessageSent")),
            None
        );
        assert_eq!(
            Subject::parse(&format!("chatroom.{id}.ChatRoomCreated.x")),
            None
        );
        assert_eq!(Subject::parse("user.not-an-id.UserCreated"), None);
        assert_eq!(Subject::parse("claim.email.abc"), None);
    }
}
