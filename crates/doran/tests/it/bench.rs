//! The benchmark works on a system that runs, and leaves nothing behind. Its figures are no test.

use serde_json::json;

use crate::{chat::Person, system::System};

#[tokio::test]
async fn every_section_tells_its_figures_and_cleans_up() {
    let system = System::in_one_process().await;
    let append = [
        "bench",
        "append",
        "--json",
        "--seconds",
        "1",
        "--rounds",
        "1",
    ];
    let append = system.run(&append).await.json();
    assert!(append[0]["ratio"].as_f64().unwrap() > 0.0, "{append:?}");
    let load = [
        "bench", "load", "--json", "--events", "2000", "--loads", "10",
    ];
    let load = system.run(&load).await.json();
    assert!(load[0]["loadP50Ms"].as_f64().unwrap() > 0.0, "{load:?}");
    let kim = Person::register(&system, "kim").await;
    let room = kim
        .post("/api/chat/rooms", &json!({ "name": "bench" }))
        .await;
    let room = room.data["id"].as_str().unwrap();
    let send = [
        "bench",
        "send",
        "--json",
        "--messages",
        "200",
        "--rounds",
        "1",
        "--room",
        room,
        "--sender",
        &kim.id,
    ];
    let send = system.run(&send).await.json();
    assert!(send[0]["ratio"].as_f64().unwrap() > 0.0, "{send:?}");
    assert!(send[1]["p99Ms"].as_f64().unwrap() > 0.0, "{send:?}");
    assert_eq!(system.count("chat.messages").await, 200);
    let left = system.run(&["events", "view", "BENCH"]).await;
    assert_ne!(left.code, 0, "{left:?}");
}
