//! What operators do beside a running system.

use doran_testkit::NatsUser;
use serde_json::{Value, json};

use crate::{
    chat::Person,
    command::Run,
    system::{System, until},
};

fn found(run: &Run, name: &str) -> Value {
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .into_iter()
        .find(|finding| finding["name"] == name)
        .unwrap()
}

#[tokio::test]
async fn an_operator_makes_administrators_and_locks_people_out() {
    let system = System::in_one_process().await;
    let kim = Person::register(&system, "kim").await;

    let promoted = system
        .run(&["users", "promote", "Kim@Example.com", "--json"])
        .await
        .json();
    assert_eq!(promoted[0]["id"], kim.id);
    assert_eq!(promoted[0]["role"], "ROLE_ADMIN");
    let again = system.run(&["users", "promote", "kim@example.com"]).await;
    assert_eq!(
        again.stdout,
        "kim@example.com was already an administrator\n"
    );

    let suspended = system.run(&["users", "suspend", "kim@example.com"]).await;
    assert_eq!(suspended.stdout, "kim@example.com is now suspended\n");

    let nobody = system
        .run(&["users", "suspend", "nobody@example.com"])
        .await;
    assert_eq!(nobody.code, 1);
    assert!(
        nobody.stderr.contains("nobody has this e-mail address"),
        "{nobody:?}"
    );
}

#[tokio::test]
async fn read_models_are_checked_rebuilt_and_taken_back_while_people_chat() {
    let system = System::in_one_process().await;
    let kim = Person::register(&system, "kim").await;
    let room = kim
        .post("/api/chat/rooms", &json!({ "name": "회의" }))
        .await;
    let messages = format!(
        "/api/chat/rooms/{}/messages",
        room.data["id"].as_str().unwrap()
    );
    let say = async |content: &str| {
        let sent = kim.post(&messages, &json!({ "content": content })).await;
        let read = kim.get(&messages, &sent.position.unwrap()).await;
        let last = read.data["items"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(last["content"], content);
    };
    say("before").await;

    let checked = system.run(&["projections", "check"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    let rebuilt = system
        .run(&["projections", "rebuild", "chat", "--verify", "--json"])
        .await;
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    let told = rebuilt.json();
    let compared = |line: &&Value| line["phase"] == "compared";
    assert!(told.iter().filter(compared).count() >= 6, "{told:?}");
    assert!(
        told.iter()
            .filter(compared)
            .all(|line| line["isEqual"] == true)
    );
    assert_eq!(told.last().unwrap()["phase"], "swapped");
    tells_of_the_rebuild(&system).await;
    say("in the new tables").await;

    let back = system.run(&["projections", "swap", "chat"]).await;
    assert_eq!(back.code, 0, "{back:?}");
    say("in the old tables again").await;
    for service in ["auth", "user"] {
        let verified = system.run(&["projections", "verify", service]).await;
        assert_eq!(verified.code, 0, "{verified:?}");
    }
    let nothing = system.run(&["projections", "abort", "auth"]).await;
    assert_eq!(nothing.stdout, "auth_next was not there\n");
    let parked = system.run(&["projections", "parked", "chat"]).await;
    assert_eq!(parked.stdout, "nothing is parked\n");

    let past = [
        "projections",
        "rebuild",
        "chat",
        "--schema",
        "audit",
        "--to",
    ];
    let ambiguous = system.run(&[&past[..], &["1"]].concat()).await;
    assert!(
        ambiguous.stderr.contains("CHATROOM:1,MESSAGE:1,USER:1"),
        "{ambiguous:?}"
    );
    let to = "CHATROOM:1,MESSAGE:1,USER:1";
    let built = system.run(&[&past[..], &[to]].concat()).await;
    assert_eq!(built.code, 0, "{built:?}");
    assert_eq!(system.count("audit.messages").await, 1);
    assert_eq!(system.count("chat.messages").await, 3);
    let none = system.run(&["projections", "swap", "user"]).await;
    assert_eq!(none.code, 1, "{none:?}");
}

async fn tells_of_the_rebuild(system: &System) {
    let rebuilding = r#"projection_rebuild_position{service="chat",read_model="messages"} "#;
    let metrics = system.metrics().await;
    let reached = metrics
        .lines()
        .find_map(|line| line.strip_prefix(rebuilding));
    assert!(reached.is_some_and(|reached| reached != "0"), "{metrics}");
}

#[tokio::test]
async fn people_and_read_models_are_listed() {
    let system = System::in_one_process().await;
    let kim = Person::register(&system, "kim").await;
    let room = kim
        .post("/api/chat/rooms", &json!({ "name": "회의" }))
        .await;
    // Both read models have what is asked about below.
    let position = format!("{},USER:1", room.position.unwrap());
    kim.get("/api/chat/rooms", &position).await;
    kim.get(&format!("/api/users/{}", kim.id), &position).await;

    let people = system.run(&["users", "list", "--json"]).await.json();
    assert_eq!(people.len(), 1);
    assert_eq!(people[0]["email"], "kim@example.com");
    let table = system.run(&["users", "list"]).await;
    assert!(table.stdout.contains("ROLE_USER"), "{table:?}");

    let status = system
        .run(&["projections", "status", "--json"])
        .await
        .json();
    let rooms = status
        .iter()
        .find(|row| row["schema"] == "chat" && row["stream"] == "CHATROOM");
    let rooms = rooms.unwrap_or_else(|| panic!("{status:?}"));
    assert_eq!(rooms["position"], 1);
    assert_eq!(rooms["state"], "upToDate");
    let table = system.run(&["projections", "status"]).await;
    assert!(table.stdout.starts_with("READ MODEL"), "{table:?}");
}

#[tokio::test]
async fn a_notice_reaches_who_is_connected_and_says_how_many_they_were() {
    let system = System::in_one_process().await;
    let kim = Person::register(&system, "kim").await;
    let mut socket = kim.socket().await;
    let said = system.run(&["notice", " 22시부터 점검합니다 "]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let told = "sockets told: 1, gateways: 1; who comes later does not see it\n";
    assert_eq!(said.stdout, told);
    assert_eq!(
        socket.until("notice").await["message"],
        "22시부터 점검합니다"
    );
    let long = "가".repeat(501);
    for refused in ["", "two\nlines", &long] {
        assert_eq!(
            system.run(&["notice", refused]).await.code,
            2,
            "{refused:?}"
        );
    }
    let unheard = system.run_as(NatsUser::Chat, &["notice", "x"]).await;
    assert_ne!(unheard.code, 0, "{unheard:?}");
}

#[tokio::test]
async fn a_read_model_that_stands_still_is_told_of_though_it_is_not_behind() {
    let mut system = System::in_one_process().await;
    let mut kim = Person::register(&system, "kim").await;
    let room = json!({ "name": "회의" });
    let room = kim.post("/api/chat/rooms", &room).await;
    kim.get("/api/chat/rooms", &room.position.unwrap()).await;
    system.gateway.kill();
    let older = "update chat.projection_position set version = 0 where read_model = 'rooms'";
    system.execute(older).await;
    system.start_again();
    kim.move_to(&system);
    until(async || system.count("chat.projection_halted").await == 1).await;

    let halt = "the tables were built by version 0, the files are version 1: rebuild";
    let status = ["projections", "status", "--json"];
    let status = system.run(&status).await.json();
    let is_rooms = |row: &&Value| row["schema"] == "chat" && row["readModel"] == "rooms";
    let rooms = status.iter().find(is_rooms).unwrap();
    assert_eq!(
        (&rooms["lagEvents"], &rooms["state"]),
        (&json!(0), &json!("halted"))
    );
    assert_eq!(rooms["halted"], halt);
    let table = system.run(&["projections", "status"]).await;
    let line = format!("chat.rooms stands still: {halt}");
    assert!(table.stdout.ends_with(&format!("{line}\n")), "{table:?}");
    let doctor = system.run(&["doctor", "--json"]).await;
    assert_eq!(found(&doctor, "read models")["text"], line);
    let ready = kim.fetch("/health/ready").await;
    assert_eq!(ready.0, 200);
    let ready: Value = serde_json::from_slice(&ready.2).unwrap();
    let probe = &ready["dependencies"]["read models chat"];
    assert_eq!(
        (&ready["status"], &probe["state"]),
        (&json!("DEGRADED"), &json!("DOWN"))
    );
    assert_eq!(probe["reason"], format!("rooms stands still: {halt}"));
    let figure = "projection_halted{service=\"chat\",read_model=\"rooms\"} 1";
    let metrics = system.metrics().await;
    assert!(metrics.contains(figure), "{metrics}");

    let rebuilt = system.run(&["projections", "rebuild", "chat"]).await;
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    let status = system.run(&["projections", "status"]).await;
    assert!(!status.stdout.contains("halted"), "{status:?}");
}

#[tokio::test]
async fn the_doctor_finds_nothing_in_a_healthy_system_and_says_what_ails_another() {
    let system = System::in_one_process().await;
    Person::register(&system, "kim").await;
    let well = system.run(&["doctor", "--json"]).await;
    assert_eq!(well.code, 0, "{well:?}");
    assert!(
        found(&well, "master key")["text"]
            .as_str()
            .unwrap()
            .contains("opens the data keys")
    );
    for (name, text) in [
        ("rights", "user all may do what tools do"),
        ("disk", "NATS uses "),
        ("clock", "ms from PostgreSQL's"),
        ("read models", " of them, at most "),
    ] {
        let finding = found(&well, name)["text"].to_string();
        assert!(finding.contains(text), "{finding}");
    }
    let role = system.run_as(NatsUser::Chat, &["doctor", "--json"]).await;
    assert_eq!(role.code, 3);
    let rights = found(&role, "rights")["text"].to_string();
    assert!(rights.contains("set NATS_USER"), "{role:?}");

    let ill = system
        .run(&[
            "doctor",
            "--json",
            "--redis-url",
            "redis://127.0.0.1:1",
            "--master-key-file",
            "/nowhere",
        ])
        .await;
    assert_eq!(ill.code, 3);
    for (name, is_well) in [("Redis", false), ("master key", false), ("streams", true)] {
        assert_eq!(found(&ill, name)["isWell"], is_well, "{ill:?}");
    }
    assert!(
        found(&ill, "Redis")["text"]
            .as_str()
            .unwrap()
            .contains("set REDIS_URL")
    );
}

#[tokio::test]
async fn another_master_key_is_found_out() {
    let system = System::in_one_process().await;
    Person::register(&system, "kim").await;
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.key");
    doran_platform::secret::MasterKey::open_or_create(&other).unwrap();
    let run = system
        .run(&[
            "doctor",
            "--json",
            "--master-key-file",
            other.to_str().unwrap(),
        ])
        .await;
    assert_eq!(run.code, 3);
    let text = found(&run, "master key")["text"].to_string();
    assert!(
        text.contains("is this the master key it was wrapped with?"),
        "{text}"
    );
}

#[tokio::test]
async fn a_role_that_cannot_run_says_why_on_one_line() {
    let system = System::in_one_process().await;
    let taken = system.gateway.address.port().to_string();
    let run = system.run(&["all", "--dev", "--port", &taken]).await;
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains(&format!("cannot listen on port {taken}")),
        "{run:?}"
    );
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");

    let run = system.run(&["chat", "--dev", "--port", "0"]).await;
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("--dev"), "{run:?}");

    let run = system
        .run(&["auth", "--port", "0", "--signing-key-file", "/nowhere"])
        .await;
    assert_eq!(run.code, 3);
    // Beside it is what was logged.
    let said: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("doran: "))
        .collect();
    assert_eq!(said.len(), 1, "{run:?}");
    assert!(said[0].contains("/nowhere"), "{run:?}");
}
