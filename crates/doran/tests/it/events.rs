//! `doran events` against a log with events in it.

use std::{fs, process::Stdio, time::Duration};

use chrono::{DateTime, Utc};
use doran_contract::{
    ClientMessageId, MessageId, RoomId, UserId,
    events::MessageSent,
    message::{ContentType, SenderType},
    subject,
};
use doran_eventstore::{CommandContext, Lane, NewEvent, event_id};
use doran_platform::{
    Clock,
    keyring::{Keyring, Place},
    secret::MasterKey,
};
use doran_testkit::TestNats;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::timeout,
};
use uuid::Uuid;

use crate::command::{Run, doran};

const TEXT: &str = "안녕 하세요";

/// A log with streams, one person's key, and a master key file.
struct Log {
    nats: TestNats,
    folder: TempDir,
    keyring: Keyring,
    author: UserId,
    room: RoomId,
}

impl Log {
    async fn start() -> Self {
        let nats = TestNats::start().await;
        assert_eq!(Run::against(&nats, &["streams", "apply"]).await.code, 0);
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::open_or_create(&folder.path().join("master")).unwrap();
        let keyring = Keyring::open(&nats.jetstream().await, &master)
            .await
            .unwrap();
        let author = UserId::new(Uuid::from_u128(7));
        keyring.create(author).await.unwrap();
        Self {
            nats,
            folder,
            keyring,
            author,
            room: RoomId::new(Uuid::from_u128(5)),
        }
    }

    /// Stores a sealed message as the chat service does.
    async fn send(&self, number: u128) {
        let id = event_id(Uuid::from_u128(number), 0);
        let subject = subject::message(self.room, "MessageSent");
        let place = Place {
            subject: &subject,
            event_id: id,
            field: "content",
        };
        let client_message_id = ClientMessageId::from(Uuid::from_u128(number));
        let event = MessageSent {
            message_id: MessageId::derive(self.room, self.author, &client_message_id),
            room_id: self.room,
            sender_id: self.author,
            sender_type: SenderType::User,
            content: self.keyring.seal(self.author, place, TEXT).await.unwrap(),
            content_type: ContentType::Text,
            client_message_id,
            reply_to: None,
            mentions: Vec::new(),
            attachments: Vec::new(),
        };
        self.append(&subject, number, serde_json::to_vec(&event).unwrap())
            .await;
    }

    async fn append(&self, subject: &str, number: u128, body: Vec<u8>) {
        self.append_as(subject, &context(number, self.author), body)
            .await;
    }

    async fn append_as(&self, subject: &str, ctx: &CommandContext, body: Vec<u8>) {
        let event = NewEvent {
            event_type: subject.rsplit('.').next().unwrap(),
            subject: subject.to_owned(),
            version: 1,
            event_id: event_id(ctx.command_id, 0),
            body: body.into(),
            ctx,
        };
        Lane::new(self.nats.jetstream().await)
            .append(event)
            .await
            .unwrap();
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        Run::of(doran(arguments).envs(self.nats.variables())).await
    }

    async fn run_with_key(&self, arguments: &[&str]) -> Run {
        let key = self.folder.path().join("master");
        let mut command = doran(arguments);
        command
            .envs(self.nats.variables())
            .env("DORAN_MASTER_KEY_FILE", key);
        Run::of(&mut command).await
    }
}

fn context(number: u128, actor: UserId) -> CommandContext {
    CommandContext {
        command_id: Uuid::from_u128(number),
        time: DateTime::UNIX_EPOCH,
        actor: Some(actor.to_string()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: "test",
    }
}

#[tokio::test]
async fn viewing_shows_what_is_stored_and_keeps_sealed_fields_closed() {
    let log = Log::start().await;
    log.send(1).await;
    let text = log.run(&["events", "view", "MESSAGE"]).await;
    assert_eq!(text.code, 0, "{text:?}");
    assert!(
        text.stdout
            .starts_with("MESSAGE:1  1970-01-01T00:00:00.000Z  MessageSent v1  message.05.")
    );
    assert!(
        text.stdout.contains(r#""content":"<sealed>""#),
        "{}",
        text.stdout
    );
    assert!(!text.stdout.contains(TEXT));

    let line = &log
        .run(&["events", "view", "MESSAGE", "--json"])
        .await
        .json()[0];
    assert_eq!(line["type"], "MessageSent");
    assert_eq!(line["sequence"], 1);
    assert_eq!(line["actor"], log.author.to_string());
    assert_eq!(line["data"]["content"]["key"], log.author.to_string());
}

#[tokio::test]
async fn those_who_hold_the_key_can_open_what_is_sealed() {
    let log = Log::start().await;
    log.send(1).await;
    let opened = log
        .run_with_key(&["events", "view", "MESSAGE", "--open", "--json"])
        .await;
    assert_eq!(opened.json()[0]["data"]["content"], TEXT);

    let without = log.run(&["events", "view", "MESSAGE", "--open"]).await;
    assert_eq!(without.code, 3);
    assert!(
        without.stderr.contains("DORAN_MASTER_KEY_FILE"),
        "{}",
        without.stderr
    );
}

#[tokio::test]
async fn a_field_that_does_not_open_in_its_place_is_marked_and_the_rest_is_shown() {
    let log = Log::start().await;
    log.send(1).await;
    let stored = log
        .run(&["events", "view", "MESSAGE", "--json"])
        .await
        .json();
    // The same body in another event: what was sealed for the first does not open here.
    let body = serde_json::to_vec(&stored[0]["data"]).unwrap();
    log.append(&subject::message(log.room, "MessageSent"), 2, body)
        .await;
    let opened = log
        .run_with_key(&["events", "view", "MESSAGE", "--open", "--json"])
        .await
        .json();
    assert_eq!(opened[0]["data"]["content"], TEXT);
    assert_eq!(opened[1]["data"]["content"]["damaged"], true);
    assert_eq!(opened[1]["data"]["senderId"], log.author.to_string());
}

#[tokio::test]
async fn a_view_is_narrowed_by_type_subject_place_and_number() {
    let log = Log::start().await;
    for number in 1..=3 {
        log.send(number).await;
    }
    log.append(
        &subject::message(log.room, "ReadMarkerMoved"),
        4,
        b"{}".to_vec(),
    )
    .await;
    let sequences = async |arguments: &[&str]| {
        let all = [&["events", "view", "MESSAGE", "--json"], arguments].concat();
        let lines = log.run(&all).await.json();
        lines
            .iter()
            .map(|line| line["sequence"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(sequences(&["--type", "ReadMarkerMoved"]).await, [4]);
    assert_eq!(
        sequences(&["--type", "MessageSent", "--from", "2"]).await,
        [2, 3]
    );
    assert_eq!(sequences(&["--limit", "2"]).await, [1, 2]);
    assert_eq!(
        sequences(&["--subject", "message.*.*.ReadMarkerMoved"]).await,
        [4]
    );
    assert_eq!(sequences(&["--subject", "message.06.>"]).await, [0; 0]);
    assert_eq!(sequences(&["--type", "MessageBurnt"]).await, [0; 0]);
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_answered_with_those_that_do() {
    let log = Log::start().await;
    let run = log.run(&["events", "view", "USERS"]).await;
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("there is no stream USERS; there are "),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn an_export_holds_every_event_once_and_overwrites_nothing() {
    let log = Log::start().await;
    for number in 1..=3 {
        log.send(number).await;
    }
    let path = log.folder.path().join("messages.ndjson");
    let file = path.to_str().unwrap();
    let run = log
        .run(&["events", "export", "MESSAGE", "--output", file])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout, format!("3 events in {file}\n"));
    let lines = fs::read_to_string(&path).unwrap();
    let sequences: Vec<_> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["sequence"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(sequences, [1, 2, 3]);

    let again = log
        .run(&["events", "export", "MESSAGE", "--output", file])
        .await;
    assert_eq!(again.code, 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), lines);
}

#[tokio::test]
async fn tailing_prints_what_comes_after_it_began() {
    let log = Log::start().await;
    log.send(1).await;
    let mut command = doran(&["events", "tail", "MESSAGE", "--json"]);
    let command = command.envs(log.nats.variables()).stdout(Stdio::piped());
    let mut tail = command.spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    // It does not say when it has begun, so there is something to see until it sees something.
    let mut number = 2;
    let line = loop {
        log.send(number).await;
        number += 1;
        if let Ok(line) = timeout(Duration::from_millis(20), lines.next_line()).await {
            break line.unwrap().unwrap();
        }
        assert!(number < 1000, "nothing was printed");
    };
    let event: Value = serde_json::from_str(&line).unwrap();
    assert!(event["sequence"].as_u64().unwrap() > 1, "{event}");
    tail.kill().await.unwrap();
}

#[tokio::test]
async fn a_tail_of_every_stream_is_narrowed_by_subject() {
    let log = Log::start().await;
    log.send(1).await;
    let marker = subject::message(log.room, "ReadMarkerMoved");
    log.append(&marker, 2, b"{}".to_vec()).await;
    let mut command = doran(&["events", "tail", "--json"]);
    let since = [
        "--since",
        "1970-01-01T00:00:00Z",
        "--subject",
        "message.*.*.ReadMarkerMoved",
    ];
    let command = command.args(since).envs(log.nats.variables());
    let mut tail = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&event["sequence"], &event["subject"]),
        (&2.into(), &marker.into())
    );
    tail.kill().await.unwrap();
}

#[tokio::test]
async fn a_tail_ends_with_what_was_stored_before_its_end() {
    let log = Log::start().await;
    log.send(1).await;
    let tail = async |until: DateTime<Utc>| {
        let mut arguments = vec!["events", "tail", "--json"];
        let until = until.to_rfc3339();
        arguments.extend(["--since", "1970-01-01T00:00:00Z", "--until", &until]);
        let run = log.run(&arguments).await;
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.json()
    };
    let sequence = |line: &Value| line["sequence"].as_u64().unwrap();
    let of_the_past = tail(DateTime::from_timestamp_secs(1).unwrap()).await;
    assert_eq!(
        of_the_past.iter().map(sequence).collect::<Vec<_>>(),
        [1],
        "the events of this log say that they are of 1970"
    );
    assert_eq!(tail(DateTime::UNIX_EPOCH).await, [Value::Null; 0]);
    let soon = Clock::system().now() + Duration::from_secs(2);
    let (lines, ()) = tokio::join!(tail(soon), log.send(2));
    assert_eq!(lines.iter().map(sequence).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn an_empty_stream_has_nothing_of_any_time() {
    let log = Log::start().await;
    let since = ["--since", "2026-01-01T00:00:00Z"];
    let view = log
        .run(&[&["events", "view", "CHATROOM"], &since[..]].concat())
        .await;
    assert_eq!((view.code, &*view.stdout), (0, ""), "{}", view.stderr);
    let path = log.folder.path().join("nothing.ndjson");
    let file = path.to_str().unwrap();
    let export = ["events", "export", "CHATROOM", "--output", file];
    let export = log.run(&[&export, &since[..]].concat()).await;
    assert_eq!(export.stdout, format!("0 events in {file}\n"), "{export:?}");
}

#[tokio::test]
async fn events_are_narrowed_by_who_did_them_what_they_followed_from_whom_they_are_of_and_when() {
    let log = Log::start().await;
    let other = Uuid::from_u128(8);
    let stored = [
        (1, log.author.to_string(), "request-1", 0),
        (2, other.to_string(), "request-2", 60),
        (3, log.author.to_string(), "request-2", 120),
    ];
    for (number, actor, correlation, seconds) in stored {
        let ctx = CommandContext {
            time: DateTime::from_timestamp_secs(seconds).unwrap(),
            actor: Some(actor),
            correlation_id: Some(correlation.to_owned()),
            ..context(number, log.author)
        };
        let room = RoomId::new(Uuid::from_u128(number));
        log.append_as(
            &subject::message(room, "ReadMarkerMoved"),
            &ctx,
            b"{}".to_vec(),
        )
        .await;
    }
    let sequences = async |arguments: &[&str]| {
        let all = [&["events", "view", "MESSAGE", "--json"], arguments].concat();
        let lines = log.run(&all).await.json();
        lines
            .iter()
            .map(|line| line["sequence"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let (author, room) = (log.author.to_string(), Uuid::from_u128(2).to_string());
    assert_eq!(sequences(&["--actor", &author]).await, [1, 3]);
    assert_eq!(sequences(&["--correlation", "request-2"]).await, [2, 3]);
    assert_eq!(sequences(&["--aggregate", &room]).await, [2]);
    assert_eq!(sequences(&["--until", "1970-01-01T00:01:00Z"]).await, [1]);
    assert_eq!(
        sequences(&["--actor", &author, "--until", "1970-01-01T00:02:00Z"]).await,
        [1]
    );
    assert_eq!(
        sequences(&["--since", "2026-01-01T00:00:00Z"]).await,
        [0; 0]
    );

    let path = log.folder.path().join("some.ndjson");
    let file = path.to_str().unwrap();
    let export = [
        "events", "export", "MESSAGE", "--output", file, "--actor", &author,
    ];
    assert_eq!(
        log.run(&export).await.stdout,
        format!("2 events in {file}\n")
    );
}

#[tokio::test]
async fn a_whole_log_passes_and_whatever_is_wrong_in_one_is_named() {
    let log = Log::start().await;
    log.send(1).await;
    let well = log.run_with_key(&["events", "verify", "--open"]).await;
    assert_eq!(well.code, 0, "{well:?}");
    assert!(
        well.stdout
            .contains("ok     MESSAGE   1 messages up to 1, 0 wrong"),
        "{well:?}"
    );

    log.send(2).await;
    log.send(3).await;
    let js = log.nats.jetstream().await;
    js.get_stream("MESSAGE")
        .await
        .unwrap()
        .delete_message(2)
        .await
        .unwrap();
    let subject = subject::message(log.room, "MessageSent");
    let stored = log
        .run(&["events", "view", "MESSAGE", "--json"])
        .await
        .json();
    let body = serde_json::to_vec(&stored[0]["data"]).unwrap();
    log.append(&subject, 4, body).await;
    log.append(&subject, 5, b"{}".to_vec()).await;
    js.publish(subject, "{}".into())
        .await
        .unwrap()
        .await
        .unwrap();
    log.append(
        &subject::message(log.room, "MessageBurnt"),
        7,
        b"{}".to_vec(),
    )
    .await;

    let run = log
        .run_with_key(&["events", "verify", "MESSAGE", "--open", "--json"])
        .await;
    assert_eq!(run.code, 1, "{run:?}");
    let report: Value = serde_json::from_str(run.stdout.trim()).unwrap();
    let findings: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    let found = |text: &str| {
        findings
            .iter()
            .any(|finding| finding.as_str().unwrap().contains(text))
    };
    for text in [
        "MESSAGE:2 is missing",
        "MESSAGE:4 has a sealed field that does not open",
        "MESSAGE:5 does not have the shape of MessageSent",
        "MESSAGE:6 has no `ce-id`",
        "MESSAGE:7 has the unknown type \"MessageBurnt\"",
    ] {
        assert!(found(text), "{text}: {findings:?}");
    }
    assert_eq!(report["events"], 6);
    // Without keys the sealed field is not looked into.
    let closed = log.run(&["events", "verify", "MESSAGE"]).await;
    assert_eq!(closed.code, 1);
    assert!(!closed.stdout.contains("MESSAGE:4"), "{closed:?}");
}
