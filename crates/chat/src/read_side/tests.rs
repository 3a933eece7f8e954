//! Whatever happened in the log, and in whatever batches it was applied, the rows are the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use chrono::{DateTime, TimeDelta, Utc};
use doran_contract::{
    ClientMessageId, MessageId, RoomId, Sealed, UserId,
    events::{
        ChatRoomArchived, ChatRoomCreated, ChatRoomDeleted, ChatRoomDescribed, ChatRoomRenamed,
        ChatRoomSettingsChanged, ChatRoomUnarchived, ChatRoomVisibilityChanged, FirstMember,
        InviteCreated, MemberBanned, MemberJoined, MemberRemoved, MemberRoleChanged,
        MemberUnbanned, MessageDeleted, MessageEdited, MessagePinned, MessageSent, MessageUnpinned,
        OwnerChange, ReactionAdded, ReactionRemoved, ReadMarkerMoved, RoomDeactivated,
        RoomReactivated, RoomRestricted,
    },
    message::{ContentType, SenderType},
    room::{RoomKind, RoomRole, RoomStatus, Settings, Visibility},
    subject::{MESSAGE_STREAM, ROOM_STREAM},
};
use doran_platform::{database, read_models};
use doran_projection::ReadModel;
use doran_testkit::{TestDatabase, TestPostgres};
use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::PgPoolOptions,
    types::{Json, Uuid},
};
use tokio::runtime::Runtime;

use super::{Migrations, ReadModels, SCHEMA};

const CASES: u32 = 48;
const ROOMS: u8 = 3;
const USERS: u8 = 4;
const TABLES: [&str; 8] = [
    "rooms",
    "members",
    "messages",
    "mentions",
    "reactions",
    "timelines",
    "read_markers",
    "message_tokens",
];

/// Numbers that [`History::of`] reads as what somebody does.
pub(crate) type Deed = (u8, u8, u8, u8);

/// An event as its statement takes it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    event_type: &'static str,
    row: Value,
}

/// What happened, as two streams hold it, and what must be known of it afterwards.
#[derive(Debug, Default)]
pub(crate) struct History {
    rooms: Vec<Event>,
    messages: Vec<Event>,
    ticks: i64,
    pub(crate) known: BTreeMap<u8, KnownRoom>,
}

#[derive(Debug, Default)]
pub(crate) struct KnownRoom {
    /// Members, and the tick at which they came.
    pub(crate) members: BTreeMap<u8, i64>,
    pub(crate) markers: BTreeMap<u8, u64>,
    pub(crate) roles: BTreeMap<u8, RoomRole>,
    pub(crate) said: Vec<Said>,
    pub(crate) visibility: Visibility,
    /// What the owner's account makes of it.
    pub(crate) imposed: RoomStatus,
    pub(crate) is_archived: bool,
    pub(crate) settings: Settings,
    pub(crate) is_deleted: bool,
    /// The room's newest event in its timeline.
    pub(crate) head: u64,
}

impl KnownRoom {
    pub(crate) fn status(&self) -> RoomStatus {
        self.imposed.or_archived(self.is_archived)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) sender: u8,
    pub(crate) mentions: u8,
    pub(crate) seq: u64,
    pub(crate) tick: i64,
    pub(crate) is_deleted: bool,
    pub(crate) is_pinned: bool,
    /// The tick of the last edit.
    pub(crate) edited: Option<i64>,
    /// Who reacted with which emoji.
    pub(crate) reactions: BTreeSet<(u8, &'static str)>,
}

pub(crate) fn room_id(room: u8) -> RoomId {
    RoomId::new(Uuid::from_u128(100 + u128::from(room)))
}

pub(crate) fn user_id(user: u8) -> UserId {
    UserId::new(Uuid::from_u128(200 + u128::from(user)))
}

pub(crate) fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = (0..23_u8, 0..ROOMS, 0..USERS, any::<u8>());
    vec(deed, 0..60)
}

impl History {
    pub(crate) fn of(deeds: &[Deed]) -> Self {
        let mut history = Self::default();
        for deed in deeds {
            history.ticks += 1;
            history.happen(*deed);
        }
        history
    }

    fn happen(&mut self, (what, room, user, detail): Deed) {
        let is_member = |known: &KnownRoom| known.members.contains_key(&user);
        match (what, self.known.get(&room).map(is_member)) {
            (_, None) => self.create(room, user, detail),
            // Nothing happens to a room after it was deleted; what was said in it may change.
            (0..=3 | 18.., Some(_)) if self.known[&room].is_deleted => {}
            (0, Some(_)) => self.rename(room, detail),
            (1, Some(_)) => self.describe(room, detail),
            (2 | 3, Some(false)) => self.join(room, user),
            (3, Some(true)) => self.remove(room, user),
            (4, Some(_)) => self.move_marker(room, user, detail),
            (22, Some(_)) => self.follow_owner(room, user, detail),
            (5, Some(_)) if self.said_by(room, user) => self.say_again(room, user, detail),
            (18..=20, Some(_)) => self.change_room(room, user, detail),
            (21, Some(_)) if detail > 200 => self.delete(room, user),
            (21, Some(true)) => self.ban(room, user),
            (9..=15, Some(_)) if self.was_said(room) => self.change(what, room, user, detail),
            _ => self.say(room, user, detail),
        }
    }

    fn create(&mut self, room: u8, user: u8, detail: u8) {
        let owner = FirstMember {
            user_id: user_id(user),
            role: RoomRole::Owner,
        };
        let other = detail % USERS;
        let guest = (other != user).then(|| FirstMember {
            user_id: user_id(other),
            role: RoomRole::Member,
        });
        let created = ChatRoomCreated {
            room_id: room_id(room),
            name: format!("room {detail}"),
            description: None,
            kind: RoomKind::Group,
            visibility: Visibility::Private,
            owner_id: user_id(user),
            bot_id: None,
            members: [owner].into_iter().chain(guest).collect(),
        };
        self.record(ROOM_STREAM, "ChatRoomCreated", json!(created));
        let known = self.known.entry(room).or_default();
        known.members.insert(user, self.ticks);
        known.members.insert(other, self.ticks);
        known.roles.insert(other, RoomRole::Member);
        known.roles.insert(user, RoomRole::Owner);
    }

    fn rename(&mut self, room: u8, detail: u8) {
        let (room_id, name) = (room_id(room), format!("name {detail}"));
        let renamed = json!(ChatRoomRenamed { room_id, name });
        self.record(ROOM_STREAM, "ChatRoomRenamed", renamed);
    }

    fn describe(&mut self, room: u8, detail: u8) {
        let described = ChatRoomDescribed {
            room_id: room_id(room),
            description: (detail > 99).then(|| format!("about {detail}")),
        };
        self.record(ROOM_STREAM, "ChatRoomDescribed", json!(described));
    }

    fn follow_owner(&mut self, room: u8, user: u8, detail: u8) {
        let room_id = room_id(room);
        let because = OwnerChange {
            user_id: user_id(user),
            sequence: self.ticks.unsigned_abs(),
        };
        let (imposed, event_type, event) = match detail % 3 {
            0 => (
                RoomStatus::Restricted,
                "RoomRestricted",
                json!(RoomRestricted { room_id, because }),
            ),
            1 => (
                RoomStatus::Deactivated,
                "RoomDeactivated",
                json!(RoomDeactivated { room_id, because }),
            ),
            _ => (
                RoomStatus::Active,
                "RoomReactivated",
                json!(RoomReactivated { room_id, because }),
            ),
        };
        self.known.entry(room).or_default().imposed = imposed;
        self.record(ROOM_STREAM, event_type, event);
    }

    fn join(&mut self, room: u8, user: u8) {
        let joined = MemberJoined {
            room_id: room_id(room),
            user_id: user_id(user),
            role: RoomRole::Member,
            added_by: None,
            invite_key: None,
        };
        self.record(ROOM_STREAM, "MemberJoined", json!(joined));
        let known = self.known.entry(room).or_default();
        known.members.insert(user, self.ticks);
        known.roles.insert(user, RoomRole::Member);
    }

    fn remove(&mut self, room: u8, user: u8) {
        let removed = MemberRemoved {
            room_id: room_id(room),
            user_id: user_id(user),
            removed_by: None,
        };
        self.record(ROOM_STREAM, "MemberRemoved", json!(removed));
        let known = self.known.entry(room).or_default();
        known.members.remove(&user);
    }

    fn ban(&mut self, room: u8, user: u8) {
        let banned = MemberBanned {
            room_id: room_id(room),
            user_id: user_id(user),
            banned_by: user_id(user),
        };
        self.record(ROOM_STREAM, "MemberBanned", json!(banned));
        self.known.entry(room).or_default().members.remove(&user);
    }

    fn delete(&mut self, room: u8, user: u8) {
        let deleted = ChatRoomDeleted {
            room_id: room_id(room),
            deleted_by: user_id(user),
        };
        self.record(ROOM_STREAM, "ChatRoomDeleted", json!(deleted));
        let known = self.known.entry(room).or_default();
        known.members.clear();
        known.is_deleted = true;
    }

    /// Something else happens to a room that leaves everybody where they are.
    fn change_room(&mut self, room: u8, user: u8, detail: u8) {
        let (room_id, user_id, ticks) = (room_id(room), user_id(user), self.ticks);
        let known = self.known.entry(room).or_default();
        let (event_type, row) = match detail % 7 {
            0 => {
                known.visibility = Visibility::Public;
                let visibility = known.visibility;
                let changed = ChatRoomVisibilityChanged {
                    room_id,
                    visibility,
                };
                ("ChatRoomVisibilityChanged", json!(changed))
            }
            1 => {
                known.settings = [("tick".to_owned(), ticks.into())].into_iter().collect();
                let settings = known.settings.clone();
                let changed = ChatRoomSettingsChanged { room_id, settings };
                ("ChatRoomSettingsChanged", json!(changed))
            }
            2 => {
                known.is_archived = true;
                let archived_by = user_id;
                let archived = ChatRoomArchived {
                    room_id,
                    archived_by,
                };
                ("ChatRoomArchived", json!(archived))
            }
            3 => {
                known.is_archived = false;
                let unarchived_by = user_id;
                let unarchived = ChatRoomUnarchived {
                    room_id,
                    unarchived_by,
                };
                ("ChatRoomUnarchived", json!(unarchived))
            }
            4 if known.members.contains_key(&user) => {
                known.roles.insert(user, RoomRole::Admin);
                let changed = MemberRoleChanged {
                    room_id,
                    user_id,
                    role: RoomRole::Admin,
                    changed_by: user_id,
                };
                ("MemberRoleChanged", json!(changed))
            }
            5 => {
                let invite = InviteCreated {
                    room_id,
                    invite_key: format!("key {ticks}"),
                    created_by: user_id,
                    created_at: time(ticks).into(),
                    expires_at: time(ticks + 1).into(),
                    max_uses: None,
                };
                ("InviteCreated", json!(invite))
            }
            _ => {
                let unbanned = MemberUnbanned {
                    room_id,
                    user_id,
                    unbanned_by: user_id,
                };
                ("MemberUnbanned", json!(unbanned))
            }
        };
        self.record(ROOM_STREAM, event_type, row);
    }

    fn move_marker(&mut self, room: u8, user: u8, detail: u8) {
        let seq = u64::from(detail) % (self.messages.len() as u64 + 2);
        let moved = ReadMarkerMoved {
            room_id: room_id(room),
            user_id: user_id(user),
            seq,
        };
        self.record(MESSAGE_STREAM, "ReadMarkerMoved", json!(moved));
        let markers = &mut self.known.entry(room).or_default().markers;
        let marker = markers.entry(user).or_default();
        *marker = seq.max(*marker);
    }

    fn say(&mut self, room: u8, sender: u8, mentions: u8) {
        self.record_message(room, sender, mentions, &format!("m-{}", self.ticks));
        let said = Said {
            sender,
            mentions,
            seq: self.messages.len() as u64,
            tick: self.ticks,
            is_deleted: false,
            is_pinned: false,
            edited: None,
            reactions: BTreeSet::new(),
        };
        self.known.entry(room).or_default().said.push(said);
    }

    fn was_said(&self, room: u8) -> bool {
        self.known
            .get(&room)
            .is_some_and(|known| !known.said.is_empty())
    }

    /// Something becomes of a message, also of a deleted one, and also what is so already: nobody
    /// guards a timeline.
    fn change(&mut self, what: u8, room: u8, user: u8, detail: u8) {
        let ticks = self.ticks;
        let said = &mut self.known.get_mut(&room).unwrap().said;
        let chosen = usize::from(detail) % said.len();
        let said = &mut said[chosen];
        said.change(what, user, detail, ticks);
        let (event_type, row) = change_event(what, room, user, detail, (said, ticks));
        self.record_in(room, event_type, row);
    }

    fn said_by(&self, room: u8, user: u8) -> bool {
        let known = self.known.get(&room);
        known.is_some_and(|known| known.said.iter().any(|said| said.sender == user))
    }

    /// An earlier message of the sender lies in the log once more, with other words.
    fn say_again(&mut self, room: u8, sender: u8, detail: u8) {
        let said = &self.known[&room].said;
        let mine: Vec<_> = said.iter().filter(|said| said.sender == sender).collect();
        let earlier = format!("m-{}", mine[usize::from(detail) % mine.len()].tick);
        self.record_message(room, sender, detail, &earlier);
    }

    fn record_message(&mut self, room: u8, sender: u8, mentions: u8, name: &str) {
        let client_message_id = ClientMessageId::try_from(name.to_owned()).unwrap();
        let (room_id, sender_id) = (room_id(room), user_id(sender));
        let sent = MessageSent {
            message_id: MessageId::derive(room_id, sender_id, &client_message_id),
            room_id,
            sender_id,
            sender_type: SenderType::User,
            content: Sealed {
                key: sender_id,
                data: format!("sealed {}", self.ticks),
            },
            content_type: ContentType::Text,
            client_message_id,
            reply_to: None,
            mentions: mentioned(mentions),
            attachments: Vec::new(),
        };
        let mut enriched = json!(sent);
        enriched["searchTokens"] = json!(format!("{{{},-7}}", self.ticks));
        self.record_in(room, "MessageSent", enriched);
    }

    /// Records an event of a room's timeline.
    fn record_in(&mut self, room: u8, event_type: &'static str, row: Value) {
        self.record(MESSAGE_STREAM, event_type, row);
        self.known.entry(room).or_default().head = self.messages.len() as u64;
    }

    fn record(&mut self, stream: &str, event_type: &'static str, mut row: Value) {
        let events = match stream {
            ROOM_STREAM => &mut self.rooms,
            _ => &mut self.messages,
        };
        let sequence = events.len() + 1;
        row["sequence"] = json!(sequence);
        row["eventId"] = json!(Uuid::from_u128(sequence as u128));
        row["time"] = json!(time(self.ticks));
        row["actor"] = Value::Null;
        row["type"] = json!(event_type);
        row["subject"] = json!(format!("{stream}.{event_type}"));
        events.push(Event { event_type, row });
    }
}

impl Said {
    /// What is known of it after something that [`change_event`] tells.
    fn change(&mut self, what: u8, user: u8, detail: u8, tick: i64) {
        match what {
            13 => _ = self.reactions.remove(&(user, emoji(detail))),
            15 => self.is_pinned = false,
            _ if self.is_deleted => {}
            9 | 10 => {
                self.edited = Some(tick);
                self.mentions = new_mentions(detail).unwrap_or(self.mentions);
            }
            11 => {
                self.is_deleted = true;
                self.is_pinned = false;
                self.edited = None;
                self.reactions.clear();
            }
            12 => _ = self.reactions.insert((user, emoji(detail))),
            _ => self.is_pinned = true,
        }
    }
}

fn emoji(detail: u8) -> &'static str {
    ["👍", "🎉"][usize::from(detail / 16) % 2]
}

/// Whom an edit names instead; none leaves those who were named.
fn new_mentions(detail: u8) -> Option<u8> {
    (detail > 99).then_some(detail)
}

fn change_event(
    what: u8,
    room: u8,
    user: u8,
    detail: u8,
    (said, tick): (&Said, i64),
) -> (&'static str, Value) {
    let client_message_id = ClientMessageId::try_from(format!("m-{}", said.tick)).unwrap();
    let (room_id, user_id, author) = (room_id(room), user_id(user), user_id(said.sender));
    let message_id = MessageId::derive(room_id, author, &client_message_id);
    let emoji = emoji(detail).parse().unwrap();
    match what {
        9 | 10 => {
            let edited = MessageEdited {
                message_id,
                room_id,
                content: Sealed {
                    key: author,
                    data: format!("edited {tick}"),
                },
                mentions: new_mentions(detail).map(mentioned),
            };
            let mut enriched = json!(edited);
            enriched["searchTokens"] = json!(format!("{{{tick},-8}}"));
            ("MessageEdited", enriched)
        }
        11 => {
            let deleted = MessageDeleted {
                message_id,
                room_id,
                deleted_by: user_id,
            };
            ("MessageDeleted", json!(deleted))
        }
        12 => {
            let added = ReactionAdded {
                message_id,
                room_id,
                user_id,
                emoji,
            };
            ("ReactionAdded", json!(added))
        }
        13 => {
            let removed = ReactionRemoved {
                message_id,
                room_id,
                user_id,
                emoji,
            };
            ("ReactionRemoved", json!(removed))
        }
        14 => {
            let pinned = MessagePinned {
                message_id,
                room_id,
                pinned_by: user_id,
            };
            ("MessagePinned", json!(pinned))
        }
        _ => {
            let unpinned = MessageUnpinned {
                message_id,
                room_id,
                unpinned_by: user_id,
            };
            ("MessageUnpinned", json!(unpinned))
        }
    }
}

fn mentioned(mentions: u8) -> Vec<UserId> {
    let mentioned = (0..USERS).filter(|user| mentions & (1 << user) != 0);
    mentioned.map(user_id).collect()
}

fn time(tick: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(tick)
}

/// The tables, and the statements that fill them.
pub(crate) struct Tables {
    pub(crate) pool: PgPool,
    models: Vec<ReadModel>,
    _database: TestDatabase,
}

impl Tables {
    pub(crate) async fn make() -> Self {
        let database = TestPostgres::database().await;
        let options = (*database.pool().connect_options()).clone();
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_lazy_with(options.options([("search_path", SCHEMA)]));
        database::migrate::<Migrations>(&pool, SCHEMA)
            .await
            .unwrap();
        Self {
            pool,
            models: read_models::<ReadModels>(SCHEMA).unwrap(),
            _database: database,
        }
    }

    pub(crate) async fn clear(&self) {
        let sql = format!("truncate {}", TABLES.join(", "));
        sqlx::query(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Applies events that came in one batch, as the runner does.
    async fn apply(&self, stream: &str, batch: &[Event]) {
        for model in self.models.iter().filter(|model| model.stream() == stream) {
            let statements: BTreeMap<_, _> = model.statements().collect();
            let wanted = |event: &&Event| statements.contains_key(event.event_type);
            let events: Vec<_> = batch.iter().filter(wanted).collect();
            for group in events.chunk_by(|a, b| a.event_type == b.event_type) {
                let rows: Vec<_> = group.iter().map(|event| &event.row).collect();
                sqlx::query(AssertSqlSafe(statements[group[0].event_type].to_owned()))
                    .bind(Json(rows))
                    .execute(&self.pool)
                    .await
                    .unwrap();
            }
        }
    }

    /// Applies a history in batches that end at `cuts`, each of them `times` times.
    pub(crate) async fn fill(&self, history: &History, cuts: &[usize], times: usize) {
        for (stream, events) in [
            (ROOM_STREAM, &history.rooms),
            (MESSAGE_STREAM, &history.messages),
        ] {
            for batch in batches(events.len(), cuts) {
                for _ in 0..times {
                    self.apply(stream, &events[batch.clone()]).await;
                }
            }
        }
    }

    async fn rows(&self) -> String {
        let mut rows = Vec::new();
        for table in TABLES {
            let sql = format!(
                "select jsonb_build_object('{table}', jsonb_agg(t order by to_jsonb(t)::text))
                 from {table} t"
            );
            let Json(row): Json<Value> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&self.pool)
                .await
                .unwrap();
            rows.push(row);
        }
        serde_json::to_string_pretty(&rows).unwrap()
    }
}

fn batches(length: usize, cuts: &[usize]) -> Vec<Range<usize>> {
    let mut ends: Vec<_> = cuts.iter().map(|cut| cut % (length + 1)).collect();
    ends.extend([0, length]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Runs a property over many histories on tables of its own.
pub(crate) fn hold_for_all(
    property: &impl AsyncFn(&Tables, &History, &[usize]) -> Result<(), TestCaseError>,
) {
    let runtime = Runtime::new().unwrap();
    let tables = runtime.block_on(Tables::make());
    let histories = (deeds(), vec(any::<usize>(), 0..8));
    TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    })
    .run(&histories, |(deeds, cuts)| {
        let history = History::of(&deeds);
        runtime.block_on(property(&tables, &history, &cuts))
    })
    .unwrap();
}

#[test]
fn rows_do_not_depend_on_batches_nor_on_how_often_they_are_applied() {
    hold_for_all(&async |tables, history, cuts| {
        let one_by_one: Vec<_> = (0..history.rooms.len().max(history.messages.len())).collect();
        tables.clear().await;
        tables.fill(history, &one_by_one, 1).await;
        let expected = tables.rows().await;
        for (cuts, times) in [(cuts, 1), (cuts, 2), (&[][..], 1)] {
            tables.clear().await;
            tables.fill(history, cuts, times).await;
            proptest::prop_assert_eq!(&tables.rows().await, &expected);
        }
        tables.fill(history, cuts, 1).await;
        proptest::prop_assert_eq!(&tables.rows().await, &expected);
        Ok(())
    });
}
