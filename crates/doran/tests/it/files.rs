//! A file's way: uploaded, sent, seen by those who may, and gone.

use reqwest::StatusCode;
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

async fn a_file_goes_its_way(system: &System) {
    let kim = Person::register(system, "kim").await;
    let lee = Person::register(system, "lee").await;
    let choi = Person::register(system, "choi").await;
    let room = room(&kim, &lee).await;
    let messages = format!("/api/chat/rooms/{room}/messages");
    let file = kim.upload("안건.txt", TEXT).await;
    let path = format!("/api/store/files/{file}");

    // Only one's own, each once, and not too many.
    let unknown = "00000000-0000-4000-8000-000000000000";
    let many: Vec<_> = (0..11).map(|_| unknown).collect();
    for (person, files) in [
        (&lee, json!([file])),
        (&kim, json!([unknown])),
        (&kim, json!([file, file])),
        (&kim, json!(many)),
    ] {
        let body = json!({ "content": "x", "fileIds": files });
        let refused = person.post(&messages, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{files}");
        assert_eq!(refused.data["data"]["fields"][0]["field"], "fileIds");
    }

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
    let history = lee.get(&messages, &position).await;
    assert_eq!(history.data["items"][0]["attachments"], shown(&file));
    let rooms = lee.get("/api/chat/rooms", &position).await;
    let last = &rooms.data["items"][0]["lastMessage"];
    assert_eq!(last["attachments"], shown(&file));
    for (query, count) in [("hasFile=true", 1), ("hasFile=false", 0)] {
        let path = format!("/api/chat/search?q=안건&{query}");
        let found = lee.get(&path, &position).await;
        assert_eq!(
            found.data["items"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }

    let (status, headers, bytes) = lee.fetch(&path).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, TEXT));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(
        headers["content-security-policy"],
        "sandbox; default-src 'none'"
    );
    assert!(headers.get("content-encoding").is_none());
    assert_eq!(choi.fetch(&path).await.0, StatusCode::NOT_FOUND);

    // An edit leaves the files, a socket sends them as well, a deletion takes them.
    let message = sent.data["id"].as_str().unwrap();
    let change = format!("{messages}/{message}");
    let edited = kim
        .send(
            reqwest::Method::PATCH,
            &change,
            &json!({ "content": "안건" }),
        )
        .await;
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
    assert_eq!(
        socket.until("message").await["message"]["attachments"],
        shown(&file)
    );
    for message in [message, ack["messageId"].as_str().unwrap()] {
        let deleted = kim.delete(&format!("{messages}/{message}")).await;
        assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.data);
    }
    let deleted = kim.get(&messages, &format!("MESSAGE:{}", ack["seq"])).await;
    assert_eq!(deleted.data["items"][0]["attachments"], json!([]));
    for _ in 0..400 {
        if lee.fetch(&path).await.0 == StatusCode::NOT_FOUND {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(lee.fetch(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(kim.fetch(&path).await.0, StatusCode::OK);
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
