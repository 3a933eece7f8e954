//! Streams saved and restored as `nats stream backup` and `nats stream restore` do it, over the
//! API that they use, and a system that goes on from them.

use async_nats::{Client, jetstream};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::{chat::Person, system::System};

/// One stream as a backup has it.
pub(crate) struct Copy {
    name: String,
    /// What the server needs to make the stream anew.
    description: Value,
    chunks: Vec<Bytes>,
}

impl Copy {
    async fn save(client: &Client, name: String) -> Self {
        let inbox = client.new_inbox();
        let mut incoming = client.subscribe(inbox.clone()).await.unwrap();
        let request = json!({ "deliver_subject": inbox });
        let subject = format!("$JS.API.STREAM.SNAPSHOT.{name}");
        let answer = ask(client, subject, request.to_string().into()).await;
        let mut chunks = Vec::new();
        while let Some(chunk) = incoming.next().await {
            if chunk.payload.is_empty() {
                break;
            }
            chunks.push(chunk.payload);
            // Flow control: the server waits for these.
            if let Some(reply) = chunk.reply {
                client.publish(reply, Bytes::new()).await.unwrap();
            }
        }
        assert!(!chunks.is_empty(), "{name}");
        let description = json!({ "config": answer["config"], "state": answer["state"] });
        Self {
            name,
            description,
            chunks,
        }
    }

    pub(crate) async fn restore(&self, client: &Client) {
        let subject = format!("$JS.API.STREAM.RESTORE.{}", self.name);
        let answer = ask(client, subject, self.description.to_string().into()).await;
        let place = answer["deliver_subject"].as_str().unwrap().to_owned();
        for chunk in &self.chunks {
            client.request(place.clone(), chunk.clone()).await.unwrap();
        }
        let done = ask(client, place, Bytes::new()).await;
        assert_eq!(
            done["state"]["messages"],
            self.description["state"]["messages"]
        );
    }
}

async fn ask(client: &Client, subject: String, body: Bytes) -> Value {
    let answer = client.request(subject, body).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer.get("error"), None, "{answer}");
    answer
}

/// Every stream of the server, lanes and buckets included.
async fn save_all(client: &Client) -> Vec<Copy> {
    let js = jetstream::new(client.clone());
    let names: Vec<String> = js.stream_names().try_collect().await.unwrap();
    let mut copies = Vec::new();
    for name in names {
        copies.push(Copy::save(client, name).await);
    }
    copies
}

#[tokio::test]
async fn a_restored_log_gives_everything_back_to_empty_servers() {
    let system = System::in_one_process().await;
    let kim = Person::register(&system, "kim").await;
    let room = kim
        .post("/api/chat/rooms", &json!({ "name": "회의" }))
        .await;
    let messages = format!(
        "/api/chat/rooms/{}/messages",
        room.data["id"].as_str().unwrap()
    );
    let mut position = None;
    for number in 0..20 {
        let content = json!({ "content": format!("회의록 {number}") });
        position = kim.post(&messages, &content).await.position;
    }
    let before = kim.get(&messages, &position.unwrap()).await.data;
    assert_eq!(before["items"].as_array().unwrap().len(), 20);

    let copies = save_all(&system.nats_client().await).await;
    assert!(copies.len() > 10, "{}", copies.len());
    let system = system.elsewhere(&copies).await;

    // The credential and the data key came with the buckets, the rows are made from the log.
    let kim = Person::log_in(&system, "kim").await;
    let sent = kim
        .post(&messages, &json!({ "content": "afterwards" }))
        .await;
    let after = kim.get(&messages, &sent.position.unwrap()).await.data;
    let after = after["items"].as_array().unwrap();
    assert_eq!(after[..20], before["items"].as_array().unwrap()[..]);
    assert_eq!(after[20]["content"], "afterwards");
    let well = system.run(&["events", "verify", "--open"]).await;
    assert_eq!(well.code, 0, "{well:?}");
    for service in ["auth", "user", "chat", "store"] {
        let rebuilt = system
            .run(&["projections", "rebuild", service, "--verify"])
            .await;
        assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    }
    let again = kim.get(&messages, "MESSAGE:1").await.data;
    assert_eq!(again["items"].as_array().unwrap()[..], after[..]);
}
