//! Nothing of a person can be read in the servers' files, and after a deletion nothing is opened.

use std::{fs, path::Path, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    chat::Person,
    system::{System, until},
};

/// In the name, the address, the settings, a message, a file, its name and a note.
const PLANTED: &str = "planted-가나다-7f3a";

async fn events(system: &System, event_type: &str) -> Vec<Value> {
    let words = ["events", "view", "USER", "--type", event_type, "--json"];
    system.run(&words).await.json()
}

/// Whether the bytes stand in any file below the folder.
fn is_in(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_in(&path, bytes);
        }
        let content = fs::read(&path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// A person about whom the planted text is everywhere where people write something.
async fn planted(system: &System, admin: &Person) -> (Person, String) {
    let kim = Person::register(system, "kim").await;
    let path = format!("/api/users/{}", kim.id);
    let profile = json!({ "name": PLANTED, "info": PLANTED, "picture": PLANTED });
    let changed = kim.send(Method::PATCH, &path, &profile).await;
    assert_eq!(changed.status, 200, "{}", changed.data);
    let settings = json!({ "note": PLANTED });
    let changed = kim
        .send(Method::PUT, &format!("{path}/settings"), &settings)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.data);
    let room = json!({ "name": "회의", "memberIds": [admin.id] });
    let room = kim.post("/api/chat/rooms", &room).await.data["id"].clone();
    let messages = format!("/api/chat/rooms/{}/messages", room.as_str().unwrap());
    let file = kim
        .upload(&format!("{PLANTED}.txt"), PLANTED.as_bytes())
        .await;
    let message = json!({ "content": format!("우리 {PLANTED} 이야기"), "fileIds": [file] });
    let sent = kim.post(&messages, &message).await;
    assert_eq!(sent.status, 201, "{}", sent.data);
    let bookmark = json!({ "messageId": sent.data["id"], "roomId": room, "note": PLANTED });
    let kept = kim.post("/api/store/bookmarks", &bookmark).await;
    assert_eq!(kept.status, 201, "{}", kept.data);
    let position = sent.position.unwrap();
    let history = admin.get(&messages, &position).await;
    assert!(
        history.data.to_string().contains(PLANTED),
        "{}",
        history.data
    );
    (kim, messages)
}

#[tokio::test]
async fn nothing_of_a_person_is_in_any_file_before_and_after_they_are_erased() {
    let system = System::in_one_process().await;
    let lee = Person::register(&system, "lee").await;
    let promoted = system.run(&["users", "promote", "lee@example.com"]).await;
    assert_eq!(promoted.code, 0, "{promoted:?}");
    let (kim, messages) = planted(&system, &lee).await;
    let nats = system.nats_folder();
    let secrets = [
        system.value("DATA_KEY", &kim.id).await,
        system.value("CREDENTIAL", &kim.id).await,
    ];
    for secret in &secrets {
        assert!(is_in(&nats, secret), "what is to be overwritten is there");
    }
    let folders = system.data_folders().await;
    let scan = async || {
        let mut words = vec!["users", "scan", PLANTED, "kim@example.com"];
        for folder in &folders {
            words.extend(["--in", folder.as_str()]);
        }
        system.run(&words).await
    };
    let before = scan().await;
    assert_eq!(before.code, 0, "{before:?}");

    let deleted = lee.delete(&format!("/api/users/{}", kim.id)).await;
    assert_eq!(deleted.status, 200, "{}", deleted.data);
    until(async || events(&system, "UserErased").await.len() == 1).await;
    for secret in &secrets {
        assert!(!is_in(&nats, secret), "key and hash are overwritten");
    }
    let after = scan().await;
    assert_eq!(after.code, 0, "{after:?}");
    let position = deleted.position.unwrap();
    let history = lee.get(&messages, &position).await;
    assert_eq!(history.data["items"][0]["content"], Value::Null);
    assert!(!system.gateway.log().contains(PLANTED));

    // The scan would see it.
    fs::write(nats.join("leak.txt"), format!("x{PLANTED}")).unwrap();
    let leaked = scan().await;
    assert_eq!(leaked.code, 1, "{leaked:?}");
    assert!(leaked.stdout.contains("leak.txt:1: plain"), "{leaked:?}");
    fs::remove_file(nats.join("leak.txt")).unwrap();
    system.leak_into_postgres(PLANTED).await;
    let leaked = scan().await;
    assert_eq!(leaked.code, 1, "{leaked:?}");
    assert!(leaked.stdout.contains("/pg_wal/"), "{leaked:?}");
}

#[tokio::test]
async fn erasures_are_finished_although_the_process_is_killed_again_and_again() {
    let mut system = System::in_one_process().await;
    let mut lee = Person::register(&system, "lee").await;
    let promoted = system.run(&["users", "promote", "lee@example.com"]).await;
    assert_eq!(promoted.code, 0, "{promoted:?}");
    let mut gone = Vec::new();
    for round in 0..5 {
        let mut people = Vec::new();
        for number in 0..3 {
            let name = format!("kim{round}{number}");
            people.push(Person::register(&system, &name).await.id);
        }
        for id in &people {
            let path = format!("/api/users/{id}");
            until(async || lee.delete(&path).await.status == 200).await;
        }
        // At another point of the erasures each time.
        sleep(Duration::from_millis(round * 4)).await;
        system.gateway.kill();
        system.start_again();
        lee.move_to(&system);
        gone.extend(people);
    }
    until(async || events(&system, "UserErased").await.len() >= gone.len()).await;
    assert_eq!(events(&system, "UserErased").await.len(), gone.len());
    for id in gone {
        for bucket in ["DATA_KEY", "CREDENTIAL"] {
            assert_eq!(system.value(bucket, &id).await, b"", "{bucket} {id}");
        }
    }
}
