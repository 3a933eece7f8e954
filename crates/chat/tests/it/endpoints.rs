//! `command.chat.*`: what gateways ask over NATS.

use doran_contract::{
    ErrorCode, MessageId, RoomId,
    command::{
        MOVE_READ_MARKER, MoveReadMarker, ReadMarker, Reply, SEND_MESSAGES, SendMessage, Sent,
        SentInOrder,
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
    outcome(serde_json::from_slice(&answer.payload).unwrap())
}

fn outcome<A>(reply: Reply<A>) -> Result<A, ErrorCode> {
    match reply {
        Reply::Accepted(answer) => Ok(answer),
        Reply::Refused { code, message } => {
            assert!(!message.is_empty());
            Err(code)
        }
    }
}

async fn say_all(world: &World, messages: &[SendMessage]) -> Vec<Result<Sent, ErrorCode>> {
    let sent: SentInOrder = ask(world, SEND_MESSAGES, &messages).await.unwrap();
    sent.outcomes.into_iter().map(outcome).collect()
}

async fn say(world: &World, message: &SendMessage) -> Result<Sent, ErrorCode> {
    let [outcome] = say_all(world, std::slice::from_ref(message))
        .await
        .try_into()
        .unwrap();
    outcome
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
    let sent = say(&world, &command).await.unwrap();
    assert!(!sent.duplicate);
    let again = say(&world, &command).await.unwrap();
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
    let refused = async |command: SendMessage| say(&world, &command).await.unwrap_err();
    assert_eq!(
        refused(message(&lee, room, "x")).await,
        ErrorCode::NotMember
    );
    let long = "x".repeat(10_001);
    assert_eq!(
        refused(message(&kim, room, &long)).await,
        ErrorCode::ValidationFailed
    );
    assert_eq!(
        refused(message(&kim, room, " ")).await,
        ErrorCode::ValidationFailed
    );
    let nonsense: Result<SentInOrder, _> = ask(&world, SEND_MESSAGES, &json!({ "x": 1 })).await;
    assert_eq!(nonsense.unwrap_err(), ErrorCode::BadRequest);
    assert_eq!(world.head("MESSAGE").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_command_lie_in_its_order_and_a_refusal_concerns_one_only() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[]).await;
    let numbered = |sender: &Person, n: usize| SendMessage {
        client_message_id: format!("m-{n}").try_into().unwrap(),
        ..message(sender, room, &n.to_string())
    };
    let mut messages: Vec<_> = (0..30).map(|n| numbered(&kim, n)).collect();
    messages[7] = numbered(&lee, 7);
    messages[20] = numbered(&kim, 3);
    let first = MessageId::derive(room, kim.id, &messages[0].client_message_id);
    messages[9].reply_to = Some(first);
    let outcomes = say_all(&world, &messages).await;
    assert_eq!(outcomes.len(), messages.len());
    assert_eq!(outcomes[7].as_ref().unwrap_err(), &ErrorCode::NotMember);
    let again = outcomes[20].as_ref().unwrap();
    assert!(again.duplicate);
    assert_eq!(again.seq, outcomes[3].as_ref().unwrap().seq);
    let new = |sent: &Sent| (!sent.duplicate).then_some(sent.seq);
    let places: Vec<_> = outcomes.iter().flatten().filter_map(new).collect();
    assert_eq!(places, (1..=28).collect::<Vec<u64>>());

    let outcomes = say_all(&world, &messages).await;
    assert!(outcomes.iter().flatten().all(|sent| sent.duplicate));
    assert_eq!(world.head("MESSAGE").await, 28);
}
