//! A file's way: uploaded, sent, seen by those who may, and gone.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{chat::Person, system::System};

const TEXT: &[u8] = "1. 인사\n2. 예산\n".as_bytes();

async fn room(owner: &Person, member: &Person) -> String {
    let room = json!({ "name": "회의", "memberIds": [member.id] });
    let created = owner.post("/api/chat/rooms", &room).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.data);
    created.data["id"].as_str().unwrap().to_owned()
}

/// What everybody is shown of the file.
fn shown(file: &str) -> Value {
    json!([{
        "fileId": file, "name": "안건.txt", "mediaType": "text/plain", "size": TEXT.len(),
        "width": null, "height": null, "thumbnailUrl": null,
    }])
}

/// Only one's own, each once, and not too many.
async fn what_cannot_be_sent(kim: &Person, lee: &Person, (messages, file): (&str, &str)) {
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (person, files) in [
        (lee, json!([file])),
        (kim, json!([unknown])),
        (kim, json!([file, file])),
        (kim, json!(vec![unknown; 11])),
    ] {
        let body = json!({ "content": "x", "fileIds": files });
        let refused = person.post(messages, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{files}");
        assert_eq!(refused.data["data"]["fields"][0]["field"], "fileIds");
    }
}

/// Wherever the message is shown, its file is.
async fn what_everybody_reads(lee: &Person, messages: &str, position: &str, file: &str) {
    let history = lee.get(messages, position).await;
    assert_eq!(history.data["items"][0]["attachments"], shown(file));
    let rooms = lee.get("/api/chat/rooms", position).await;
    let last = &rooms.data["items"][0]["lastMessage"];
    assert_eq!(last["attachments"], shown(file));
    for (query, count) in [("hasFile=true", 1), ("hasFile=false", 0)] {
        let path = format!("/api/chat/search?q=안건&{query}");
        let found = lee.get(&path, position).await;
        let items = found.data["items"].as_array().unwrap();
        assert_eq!(items.len(), count, "{query}");
    }
}

/// The bytes, for who is in the room and for nobody else.
async fn what_everybody_gets(lee: &Person, stranger: &Person, path: &str) {
    let (status, headers, bytes) = lee.fetch(path).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, TEXT));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = &headers["content-security-policy"];
    assert_eq!(policy, "sandbox; default-src 'none'");
    assert!(headers.get("content-encoding").is_none());
    assert_eq!(stranger.fetch(path).await.0, StatusCode::NOT_FOUND);
}

async fn a_file_goes_its_way(system: &System) {
    let kim = Person::register(system, "kim").await;
    let lee = Person::register(system, "lee").await;
    let choi = Person::register(system, "choi").await;
    let room = room(&kim, &lee).await;
    let messages = format!("/api/chat/rooms/{room}/messages");
    let file = kim.upload("안건.txt", TEXT).await;
    let path = format!("/api/store/files/{file}");
    what_cannot_be_sent(&kim, &lee, (&messages, &file)).await;

    let mut socket = lee.socket().await;
    socket
        .send(json!({ "id": 2, "type": "subscribe", "roomId": room }))
        .await;
    socket.until("caughtUp").await;
    let body = json!({ "content": "안건입니다", "fileIds": [file] });
    let sent = kim.post(&messages, &body).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.data);
    assert_eq!(sent.data["attachments"], shown(&file));
    let live = socket.until("message").await;
    assert_eq!(live["message"]["attachments"], shown(&file));
    let position = sent.position.clone().unwrap();
    what_everybody_reads(&lee, &messages, &position, &file).await;
    what_everybody_gets(&lee, &choi, &path).await;

    // An edit leaves the files, and a socket sends them as well.
    let message = sent.data["id"].as_str().unwrap();
    let change = format!("{messages}/{message}");
    let edit = json!({ "content": "안건" });
    let edited = kim.send(Method::PATCH, &change, &edit).await;
    assert_eq!(edited.data["attachments"], shown(&file), "{}", edited.data);
    let history = lee.get(&messages, &edited.position.unwrap()).await;
    assert_eq!(history.data["items"][0]["attachments"], shown(&file));
    let mut sender = kim.socket().await;
    let frame = json!({
        "id": 3, "type": "send", "roomId": room, "clientMessageId": "m-1", "content": "또",
        "fileIds": [file],
    });
    sender.send(frame).await;
    let ack = sender.until("ack").await;
    let live = socket.until("message").await;
    assert_eq!(live["message"]["attachments"], shown(&file));

    let both = [message, ack["messageId"].as_str().unwrap()];
    what_a_deletion_takes(&kim, &lee, (&messages, &path), both).await;
}

async fn what_a_deletion_takes(
    kim: &Person,
    lee: &Person,
    (messages, path): (&str, &str),
    both: [&str; 2],
) {
    let mut position = None;
    for message in both {
        let deleted = kim.delete(&format!("{messages}/{message}")).await;
        assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.data);
        position = deleted.position;
    }
    for _ in 0..400 {
        if lee.fetch(path).await.0 == StatusCode::NOT_FOUND {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(lee.fetch(path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(kim.fetch(path).await.0, StatusCode::OK);
    let history = kim.get(messages, &position.unwrap()).await;
    for message in history.data["items"].as_array().unwrap() {
        assert_eq!(message["attachments"], json!([]));
    }
}

#[tokio::test]
async fn a_file_goes_its_way_through_one_process() {
    let system = System::in_one_process().await;
    a_file_goes_its_way(&system).await;
}

#[tokio::test]
async fn a_file_goes_its_way_through_a_process_for_each_role() {
    let system = System::in_separate_processes().await;
    a_file_goes_its_way(&system).await;
    for process in system.services.iter().chain([&system.gateway]) {
        assert!(
            !process.log().contains("ermissions Violation"),
            "{}",
            process.log()
        );
    }
}
