//! `command.chat.*`: what gateways ask over NATS.

use doran_contract::{
    ErrorCode, RoomId,
    command::{
        MOVE_READ_MARKER, MoveReadMarker, ReadMarker, Reply, SEND_MESSAGE, SendMessage, Sent,
    },
    message::ContentType,
};
use doran_testkit::NatsUser;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::world::{Person, World, sequence};

/// Asks as a gateway does, with the rights it has.
async fn ask<A: DeserializeOwned>(
    world: &World,
    subject: &'static str,
    command: &impl Serialize,
) -> Result<A, ErrorCode> {
    let gateway = world.nats.client_of(NatsUser::Gateway).await;
    let command = serde_json::to_vec(command).unwrap();
    let answer = gateway.request(subject, command.into()).await.unwrap();
    match serde_json::from_slice(&answer.payload).unwrap() {
        Reply::Accepted(answer) => Ok(answer),
        Reply::Refused { code, message } => {
            assert!(!message.is_empty());
            Err(code)
        }
    }
}

fn message(person: &Person, room: RoomId, content: &str) -> SendMessage {
    SendMessage {
        sender_id: person.id,
        room_id: room,
        client_message_id: "m-1".to_owned().try_into().unwrap(),
        content: content.to_owned(),
        content_type: ContentType::Text,
        reply_to: None,
        mentions: Vec::new(),
        file_ids: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_nats_and_again_over_http_is_one() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let command = message(&kim, room, "안녕");
    let sent: Sent = ask(&world, SEND_MESSAGE, &command).await.unwrap();
    assert!(!sent.duplicate);
    let again: Sent = ask(&world, SEND_MESSAGE, &command).await.unwrap();
    assert!(again.duplicate);
    assert_eq!((again.message_id, again.seq), (sent.message_id, sent.seq));
    let body = json!({ "content": "안녕", "clientMessageId": "m-1" });
    let over_http = world.send(&kim, room, &body).send().await;
    assert_eq!(over_http.status, 200);
    assert_eq!(sequence(&over_http), sent.seq);
    assert_eq!(over_http.data()["createdAt"], json!(sent.created_at));

    let wanted = MoveReadMarker {
        user_id: kim.id,
        room_id: room,
        seq: sent.seq,
    };
    let marker: ReadMarker = ask(&world, MOVE_READ_MARKER, &wanted).await.unwrap();
    assert_eq!(marker.seq, sent.seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_over_nats_have_the_same_names() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[]).await;
    let refused = async |command: SendMessage| {
        let answer: Result<Sent, _> = ask(&world, SEND_MESSAGE, &command).await;
        answer.unwrap_err()
    };
    assert_eq!(
        refused(message(&lee, room, "x")).await,
        ErrorCode::NotMember
    );
    let long = "x".repeat(10_001);
    assert_eq!(
        refused(message(&kim, room, &long)).await,
        ErrorCode::TooLarge
    );
    assert_eq!(
        refused(message(&kim, room, " ")).await,
        ErrorCode::ValidationFailed
    );
    let nonsense: Result<Sent, _> = ask(&world, SEND_MESSAGE, &json!({ "x": 1 })).await;
    assert_eq!(nonsense.unwrap_err(), ErrorCode::BadRequest);
    assert_eq!(world.head("MESSAGE").await, 0);
}
