//! Which room or queue a destination names. Pure.

use doran_contract::{ErrorCode, RoomId};

use crate::socket::answer::Denied;

/// Of a SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Room(RoomId),
    Queue(Box<str>),
}

/// Of a SEND.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Room(RoomId),
    /// The body says which.
    RoomInBody,
}

const ROOM_SOURCES: [&str; 3] = ["/topic/chat/", "/topic/chat.", "/sub/chat/room/"];
const QUEUES: &str = "/user/queue/";
const ROOM_TARGET: &str = "/app/chat/";
const TARGETS: [&str; 2] = ["/app/chat.sendMessage", "/pub/chat/message"];
const MAX_QUEUE_BYTES: usize = 64;

impl Source {
    pub(super) fn parse(destination: &str) -> Result<Self, Denied> {
        if destination.contains(['*', '>', '#']) {
            let message = "wildcards are not allowed, subscribe to each room";
            return Err(Denied::new(ErrorCode::Forbidden, message));
        }
        if let Some(queue) = destination.strip_prefix(QUEUES) {
            let fits = (1..=MAX_QUEUE_BYTES).contains(&queue.len());
            return fits.then(|| Self::Queue(queue.into())).ok_or_else(nowhere);
        }
        let room = ROOM_SOURCES
            .iter()
            .find_map(|prefix| destination.strip_prefix(prefix));
        room.ok_or_else(nowhere).and_then(room_id).map(Self::Room)
    }
}

impl Target {
    pub(super) fn parse(destination: &str) -> Result<Self, Denied> {
        if TARGETS.contains(&destination) {
            return Ok(Self::RoomInBody);
        }
        if let Some(room) = destination.strip_prefix(ROOM_TARGET) {
            return room_id(room).map(Self::Room);
        }
        let is_ours = ["/topic/", "/sub/", "/queue/", "/user/"]
            .iter()
            .any(|prefix| destination.starts_with(prefix));
        Err(if is_ours {
            let message = "only the server sends there; send to /app/chat/{roomId}";
            Denied::new(ErrorCode::Forbidden, message)
        } else {
            nowhere()
        })
    }
}

fn room_id(text: &str) -> Result<RoomId, Denied> {
    text.parse()
        .map_err(|_invalid| Denied::new(ErrorCode::NotFound, "room not found"))
}

fn nowhere() -> Denied {
    Denied::new(ErrorCode::NotFound, "there is no such destination")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const ROOM: &str = "00000000-0000-0000-0000-000000000001";

    #[test]
    fn every_alias_names_the_same_room() {
        let room = RoomId::new(Uuid::from_u128(1));
        for prefix in ROOM_SOURCES {
            let source = Source::parse(&format!("{prefix}{ROOM}")).unwrap();
            assert_eq!(source, Source::Room(room));
        }
        let target = Target::parse(&format!("/app/chat/{ROOM}")).unwrap();
        assert_eq!(target, Target::Room(room));
        for alias in TARGETS {
            assert_eq!(Target::parse(alias).unwrap(), Target::RoomInBody);
        }
        let queue = Source::parse("/user/queue/errors").unwrap();
        assert_eq!(queue, Source::Queue("errors".into()));
    }

    #[test]
    fn wildcards_and_what_is_the_servers_alone_are_forbidden() {
        for wildcard in [
            "/topic/chat/*",
            "/topic/**",
            "/topic/chat.>",
            "/topic/chat.#",
            "/user/queue/*",
        ] {
            let denied = Source::parse(wildcard).unwrap_err();
            assert_eq!(denied.code(), ErrorCode::Forbidden, "{wildcard}");
        }
        for ours in [
            format!("/topic/chat/{ROOM}"),
            "/user/queue/errors".to_owned(),
        ] {
            let denied = Target::parse(&ours).unwrap_err();
            assert_eq!(denied.code(), ErrorCode::Forbidden, "{ours}");
        }
    }

    #[test]
    fn other_destinations_do_not_exist() {
        for text in [
            "",
            "/topic/chat/",
            "/topic/chat/x",
            "/topic/news",
            "/user/queue/",
        ] {
            assert_eq!(Source::parse(text).unwrap_err().code(), ErrorCode::NotFound);
        }
        for text in ["", "/app/chat/", "/app/other", "/app/chat/x/y"] {
            assert_eq!(Target::parse(text).unwrap_err().code(), ErrorCode::NotFound);
        }
    }

    proptest! {
        #[test]
        fn no_destination_makes_it_panic(text in ".*") {
            prop_assert!(Source::parse(&text).is_ok() || Source::parse(&text).is_err());
            prop_assert!(Target::parse(&text).is_ok() || Target::parse(&text).is_err());
        }
    }
}
