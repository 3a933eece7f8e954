//! Frames of the native WebSocket protocol `doran.v1`: one JSON object a text frame. STOMP has the
//! same objects in its bodies.
//!
//! What stands here of each type and field, clients read in `docs/api/asyncapi.json`.

mod client;
mod close;
mod server;

pub use client::*;
pub use close::*;
pub use server::*;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "doran.v1";
/// Bytes that a client's frame may have at most.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Frames of one socket that may be under way at once.
pub const MAX_IN_FLIGHT: usize = 32;
/// Characters that operators may say at once.
pub const MAX_NOTICE_CHARS: usize = 500;
/// Events that a resume replays at most; beyond it the answer is `tooFar`.
pub const RESUME_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RoomId, room::RoomRole};

    #[test]
    fn a_send_frame_of_the_contract_is_read() {
        let text = r#"{"id":3,"type":"send","roomId":"00000000-0000-0000-0000-000000000001",
            "clientMessageId":"a","content":"안녕","replyTo":null,"fileIds":[]}"#;
        let frame: ClientFrame = serde_json::from_str(text).unwrap();
        assert_eq!(frame.id, Some(3));
        assert!(matches!(frame.request, Request::Send(send) if send.content == "안녕"));
    }

    #[test]
    fn server_frames_have_the_shape_of_the_contract() {
        let room_id = RoomId::new(uuid::Uuid::from_u128(1));
        let subscribed = ServerFrame::Ok {
            id: Some(2),
            answer: OkAnswer::Subscribed {
                room_id,
                epoch: "e".to_owned(),
                head: 1050,
                complete: false,
                reason: Some(Incomplete::TooFar),
                role: RoomRole::Member,
                read_seq: 1039,
            },
        };
        insta::assert_json_snapshot!(subscribed, @r#"
        {
          "type": "ok",
          "id": 2,
          "roomId": "00000000-0000-0000-0000-000000000001",
          "epoch": "e",
          "head": 1050,
          "complete": false,
          "reason": "tooFar",
          "role": "member",
          "readSeq": 1039
        }
        "#);
        insta::assert_json_snapshot!(ServerFrame::Pong { id: None }, @r#"
        {
          "type": "pong"
        }
        "#);
    }
}
