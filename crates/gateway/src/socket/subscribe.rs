//! `subscribe`: a room's timeline from now on, or from where the client left it.

use std::sync::Arc;

use doran_contract::{
    ErrorCode, RoomId,
    frame::{CloseCode, Incomplete, OkAnswer, ServerFrame, Since},
    room::RoomRole,
};

use super::{Voice, answer::Denied, connection::Connection, subscriptions::Name};
use crate::live::{Broadcast, Guest, Hub, Missed, Replay, Seated};

/// Live events are held back while the client is given what it missed. A subscription to the same
/// room takes the place of an earlier one.
pub(super) async fn subscribe(
    connection: &Connection,
    id: Option<u64>,
    room: RoomId,
    since: Option<Since>,
) -> Result<(), Denied> {
    let (gateway, link) = (&connection.gateway, &connection.link);
    let role = role(connection, room).await?;
    let name = Name::Room(room);
    connection.subscriptions.admit(&name)?;
    let epoch = gateway.hubs.epoch();
    let known = since.as_ref().filter(|since| since.epoch == *epoch);
    let after = known.map_or(0, |since| since.seq);
    let guest = Guest {
        seat: link.id,
        link: Arc::clone(link),
        voice: Voice::Native,
    };
    let (hub, seated) = gateway.hubs.seat(room, &guest, after).await?;
    connection
        .subscriptions
        .insert(name.clone(), &hub, guest.seat);
    let login = link.login();
    let (missed, read_seq) = tokio::join!(
        missed(connection, &hub, since.as_ref(), seated),
        gateway
            .read_markers
            .find(&gateway.services, room, &login.token),
    );
    let missed = missed.inspect_err(|_| connection.subscriptions.remove(&name))?;
    let subscribed = |reason: Option<Incomplete>| OkAnswer::Subscribed {
        room_id: room,
        epoch: epoch.to_string(),
        head: match reason {
            // The event before which nothing is missed may not have reached this gateway yet.
            None => seated.head.max(after),
            Some(_) => seated.head,
        },
        complete: reason.is_none(),
        reason,
        role,
        read_seq,
    };
    let ok = |reason| ServerFrame::Ok {
        id,
        answer: subscribed(reason),
    };
    match missed {
        Missed::Complete(replay) => {
            connection.reply(&ok(None)).await;
            give(connection, &hub, &guest.voice, replay).await;
            hub.go_live(guest.seat, seated);
        }
        Missed::Incomplete(reason) => {
            connection.reply(&ok(Some(reason))).await;
            hub.go_live_incomplete(guest.seat, seated);
        }
    }
    Ok(())
}

pub(super) async fn role(connection: &Connection, room: RoomId) -> Result<RoomRole, Denied> {
    let rooms = &connection.gateway.rooms;
    if let Some(role) = rooms.role(room, connection.link.user_id).await {
        return Ok(role);
    }
    Err(match rooms.look(room, |_| ()) {
        Some(()) => Denied::new(ErrorCode::NotMember, "not a member of this room"),
        None => Denied::new(ErrorCode::NotFound, "room not found"),
    })
}

pub(super) async fn missed(
    connection: &Connection,
    hub: &Hub,
    since: Option<&Since>,
    seated: Seated,
) -> Result<Missed, Denied> {
    match since {
        Some(since) => {
            let hubs = &connection.gateway.hubs;
            Ok(Missed::read(hubs, hub, since, seated).await?)
        }
        None => Ok(Missed::Complete(Replay::nothing())),
    }
}

pub(super) async fn give(connection: &Connection, hub: &Hub, voice: &Voice, mut replay: Replay) {
    let renderer = connection.gateway.hubs.renderer();
    while let Some(frame) = replay.next(hub, renderer).await {
        match frame {
            Ok(frame) => {
                if let Some(text) = voice.say(&Broadcast::new(frame)) {
                    connection.link.outbox.answer(text).await;
                }
            }
            Err(error) => {
                // It was told that everything follows, so it has to start afresh.
                tracing::warn!(%error, "a resume breaks off");
                connection.link.close(CloseCode::Resync);
                return;
            }
        }
    }
}
