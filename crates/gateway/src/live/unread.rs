//! What each member has not read of a room, told to all of their sockets, subscribed or not, when
//! something was said, edited or deleted there, or when they read on, on whatever device.
//!
//! The figures are the chat service's, each as it is then. So a change that is missed, or comes
//! while the one before is being told, is made good by the next.

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::{Client, Message, SubscribeError};
use doran_contract::{
    RoomId, UserId,
    events::MessageEvent,
    frame::ServerFrame,
    room::RoomSync,
    subject::{self, MESSAGE_STREAM, Subject},
};
use doran_eventstore::{Position, Recorded};
use futures_util::{
    Stream, StreamExt,
    future::try_join_all,
    stream::{FuturesUnordered, iter, select_all},
};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{Broadcast, notice::concerned, render::decode};
use crate::{front_door::Service, gateway::Gateway};

/// What an answer of the chat service may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two tellings of the same.
const PACE: Duration = Duration::from_secs(1);
/// How much longer than a telling took the next one waits, so that large rooms take their share only.
const REST: u32 = 4;
/// Questions to the chat service at once, for one room.
const AT_ONCE: usize = 8;
/// Rooms and readers that are told at the same time; a change of another one is left out.
const MOST: usize = 1_000;

/// All members of a room, or one.
type Readers = (RoomId, Option<UserId>);

/// Who is being told, and what happened since: the newest sequence that they were not told of.
#[derive(Default)]
struct Due(Mutex<HashMap<Readers, Option<u64>>>);

/// The part of an answer that is told.
#[derive(Deserialize)]
struct Answer {
    rooms: Vec<RoomSync>,
}

/// Every event that changes what is unread, from now on.
pub(crate) async fn unread_changes(
    nats: &Client,
) -> Result<impl Stream<Item = Message> + use<>, SubscribeError> {
    let types = [
        "MessageSent",
        "MessageEdited",
        "MessageDeleted",
        "ReadMarkerMoved",
    ];
    let filters = types.into_iter().filter_map(subject::every);
    let subscribed = filters.map(|every| nats.subscribe(subject::live(&every)));
    Ok(select_all(try_join_all(subscribed).await?))
}

pub(crate) async fn tell_of_unread(gateway: Gateway, changes: impl Stream<Item = Message>) {
    let stopping = gateway.platform.lifecycle.stopping().clone();
    stopping
        .run_until_cancelled(follow(&gateway, changes))
        .await;
}

async fn follow(gateway: &Gateway, changes: impl Stream<Item = Message>) {
    let due = Due::default();
    let mut changes = pin!(changes);
    let mut telling = FuturesUnordered::new();
    loop {
        tokio::select! {
            change = changes.next() => {
                let Some(change) = change else { return };
                if let Some((readers, sequence)) = readers(gateway, change)
                    && due.add(readers, sequence)
                {
                    telling.push(keep_told(gateway, &due, readers));
                }
            }
            Some(()) = telling.next() => {}
        }
    }
}

/// Whom an event concerns who is here; nobody if it cannot be read.
fn readers(gateway: &Gateway, change: Message) -> Option<(Readers, u64)> {
    let recorded = Recorded::from_republished(change).ok()?;
    let readers = match Subject::parse(&recorded.subject)? {
        Subject::Message {
            room,
            event_type: "ReadMarkerMoved",
        } => {
            let MessageEvent::ReadMarkerMoved(moved) = decode(&recorded).ok()? else {
                return None;
            };
            let reader = gateway
                .sockets
                .has(moved.user_id)
                .then_some(moved.user_id)?;
            (room, Some(reader))
        }
        Subject::Message { room, .. } => (room, None),
        Subject::User { .. }
        | Subject::Room { .. }
        | Subject::Session { .. }
        | Subject::Bookmark { .. }
        | Subject::Job { .. }
        | Subject::File { .. }
        | Subject::Bot { .. } => return None,
    };
    Some((readers, recorded.sequence))
}

/// Tells them until nothing more has happened.
async fn keep_told(gateway: &Gateway, due: &Due, readers: Readers) {
    while let Some(sequence) = due.take(readers) {
        let started = Instant::now();
        let (room, reader) = readers;
        let position = Position::new(MESSAGE_STREAM, sequence);
        let readers = reader.map_or_else(|| members(gateway, room), |user| vec![user]);
        let told = readers.into_iter();
        let told = told.map(|user| tell(gateway, room, user, &position));
        iter(told).buffer_unordered(AT_ONCE).collect::<()>().await;
        sleep(PACE.max(started.elapsed() * REST)).await;
    }
}

/// Members of a room who are here.
fn members(gateway: &Gateway, room: RoomId) -> Vec<UserId> {
    let members = concerned(gateway, room).into_iter();
    members.map(|(user, _)| user).collect()
}

async fn tell(gateway: &Gateway, room: RoomId, user: UserId, position: &Position) {
    let Some(login) = gateway.sockets.login(user) else {
        return;
    };
    let path = format!("/api/chat/sync?roomId={room}");
    let services = &gateway.services;
    let answer: Result<Answer, _> = services
        .get_after(Service::Chat, &path, (&login.token, position), PATIENCE)
        .await;
    match answer {
        // None for somebody who is not a member any more.
        Ok(Answer { rooms }) => {
            for room in rooms {
                let frame = ServerFrame::Unread {
                    room_id: room.room_id,
                    unread_count: room.unread_count,
                    mention_count: room.mention_count,
                    read_seq: room.read_seq,
                };
                gateway.sockets.tell(user, &Broadcast::new(frame));
            }
        }
        Err(error) => tracing::debug!(%error, "what is unread could not be told"),
    }
}

impl Due {
    /// Whether somebody has to begin telling them.
    fn add(&self, readers: Readers, sequence: u64) -> bool {
        let mut due = self.lock();
        let is_full = due.len() >= MOST;
        match due.entry(readers) {
            Entry::Occupied(mut known) => {
                let newest = known.get().map_or(sequence, |known| known.max(sequence));
                known.insert(Some(newest));
                false
            }
            Entry::Vacant(_) if is_full => false,
            Entry::Vacant(new) => {
                new.insert(Some(sequence));
                true
            }
        }
    }

    /// What they have to be told of. After none they are forgotten.
    fn take(&self, readers: Readers) -> Option<u64> {
        let mut due = self.lock();
        let sequence = due.get_mut(&readers)?.take();
        if sequence.is_none() {
            due.remove(&readers);
        }
        sequence
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Readers, Option<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ROOM: Readers = (RoomId::new(Uuid::from_u128(1)), None);

    #[test]
    fn what_happens_meanwhile_is_told_once_and_by_who_tells_already() {
        let due = Due::default();
        assert!(due.add(ROOM, 5));
        assert_eq!(due.take(ROOM), Some(5));
        assert!(!due.add(ROOM, 8));
        assert!(!due.add(ROOM, 7));
        assert_eq!(due.take(ROOM), Some(8));
        assert_eq!(due.take(ROOM), None);
        assert!(due.add(ROOM, 9));
    }
}
