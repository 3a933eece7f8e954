//! MESSAGE frames: written once for all subscribers, but for the lines that name a subscription.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use doran_contract::frame::ServerFrame;

use super::{frame::Writer, version::Version};
use crate::live::text;

/// Content type of everything that is told.
pub(super) const JSON: &str = "application/json";

/// What every subscriber's MESSAGE has in common.
pub(crate) struct Body {
    /// The `/user/queue/…` that it belongs to; none for a room's own destination.
    pub(super) queue: Option<&'static str>,
    text: String,
}

/// The lines of a MESSAGE that are a subscription's own.
#[derive(Clone, Debug)]
pub(crate) struct Heading(Arc<str>);

impl Heading {
    /// `epoch` for a room; `id` is none only where STOMP 1.0 names none.
    pub(super) fn new(
        version: Version,
        id: Option<&str>,
        destination: &str,
        epoch: Option<&str>,
    ) -> Self {
        let writer = Writer::new("MESSAGE", version)
            .header_if_any("subscription", id)
            .header("destination", destination)
            .header_if_any("epoch", epoch);
        Self(writer.head().into())
    }

    pub(crate) fn over(&self, body: &Body) -> Utf8Bytes {
        let mut text = String::with_capacity(self.0.len() + body.text.len());
        text.push_str(&self.0);
        text.push_str(&body.text);
        text.into()
    }
}

impl Body {
    /// None for what is told on `doran.v1` only, and for what answers one client.
    pub(crate) fn of(frame: &ServerFrame) -> Option<Self> {
        Some(match frame {
            ServerFrame::Message {
                seq, prev, message, ..
            } => {
                let json = serde_json::to_string(message).expect("messages are plain data");
                Self::in_room("message", *seq, *prev, &json)
            }
            ServerFrame::MessageEdited { seq, prev, .. } => {
                Self::in_room("messageEdited", *seq, *prev, &text(frame))
            }
            ServerFrame::MessageDeleted { seq, prev, .. } => {
                Self::in_room("messageDeleted", *seq, *prev, &text(frame))
            }
            ServerFrame::Reaction { seq, prev, .. } => {
                Self::in_room("reaction", *seq, *prev, &text(frame))
            }
            ServerFrame::Pinned { seq, prev, .. } => {
                Self::in_room("pinned", *seq, *prev, &text(frame))
            }
            ServerFrame::Unread { .. } => Self::in_queue("unread", "unread", &text(frame)),
            ServerFrame::Room { .. } => Self::in_queue("rooms", "room", &text(frame)),
            ServerFrame::Member { .. } => Self::in_queue("rooms", "member", &text(frame)),
            ServerFrame::Notice(_) => Self::in_queue("notices", "notice", &text(frame)),
            ServerFrame::Ack { .. } => Self::in_queue("replies", "ack", &text(frame)),
            ServerFrame::Error { .. } => Self::in_queue("errors", "error", &text(frame)),
            ServerFrame::Hello { .. }
            | ServerFrame::Ok { .. }
            | ServerFrame::CaughtUp { .. }
            | ServerFrame::Typing { .. }
            | ServerFrame::Read { .. }
            | ServerFrame::Presence(_)
            | ServerFrame::BotDelta(_)
            | ServerFrame::Pong { .. } => return None,
        })
    }

    fn in_room(kind: &str, seq: u64, prev: u64, json: &str) -> Self {
        let lines = format!("type:{kind}\nmessage-id:{seq}\nseq:{seq}\nprev:{prev}\n");
        Self::with(None, &lines, json)
    }

    fn in_queue(queue: &'static str, kind: &str, json: &str) -> Self {
        let id: u64 = rand::random();
        let lines = format!("type:{kind}\nmessage-id:{id:016x}\n");
        Self::with(Some(queue), &lines, json)
    }

    fn with(queue: Option<&'static str>, lines: &str, json: &str) -> Self {
        let length = json.len();
        let text = format!("{lines}content-type:{JSON}\ncontent-length:{length}\n\n{json}\0");
        Self { queue, text }
    }
}

#[cfg(test)]
mod tests {
    use doran_contract::RoomId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_subscriptions_own_lines_come_before_what_all_have_in_common() {
        let heading = Heading::new(
            Version::V1_2,
            Some("a:1"),
            "/topic/chat/1\nx:y",
            Some("e-1"),
        );
        let unread = ServerFrame::Unread {
            room_id: RoomId::new(Uuid::from_u128(1)),
            unread_count: 3,
            mention_count: 0,
            read_seq: 9,
        };
        let text = heading.over(&Body::of(&unread).unwrap());
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        for expected in [
            "MESSAGE",
            "subscription:a\\c1",
            "destination:/topic/chat/1\\nx\\cy",
            "epoch:e-1",
            "type:unread",
        ] {
            assert_eq!(lines.next(), Some(expected));
        }
        let body = body.strip_suffix('\0').unwrap();
        assert!(head.ends_with(&format!("content-length:{}", body.len())));
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["unreadCount"], 3);
    }

    #[test]
    fn what_stomp_has_no_frame_for_is_not_said() {
        assert!(Body::of(&ServerFrame::Pong { id: None }).is_none());
    }
}
