//! `GET /api/chat/rooms/{id}/messages`: pages of a room's history.

use doran_contract::RoomId;
use serde_json::{Value, json};

use crate::world::{Person, World, sequence};

struct Told {
    world: World,
    kim: Person,
    room: RoomId,
    /// Sequences of what was said in the room; another room's lie between them.
    seqs: Vec<u64>,
}

/// Ten messages, with somebody else's between them.
async fn told() -> Told {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let (room, other) = (world.room(&kim, &[]).await, world.room(&kim, &[]).await);
    let mut seqs = Vec::new();
    for n in 0..10 {
        seqs.push(sequence(&world.say(&kim, room, &format!("{n}")).await));
        let between = world.say(&kim, other, "elsewhere").await;
        world.read_after(&between, &kim, "/api/chat/rooms").await;
    }
    Told {
        world,
        kim,
        room,
        seqs,
    }
}

impl Told {
    async fn page(&self, query: &str) -> Value {
        let path = format!("/api/chat/rooms/{}/messages?{query}", self.room);
        self.world.get(&self.kim, &path).send().await.data().clone()
    }
}

fn contents(page: &Value) -> String {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["content"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_back_forward_and_around_a_message_oldest_first() {
    let told = told().await;
    let seqs = &told.seqs;
    let (inside, outside) = (seqs[5], seqs[5] + 1);
    for (query, expected, has_before, has_after) in [
        (String::new(), "0123456789", false, false),
        ("limit=3".to_owned(), "789", true, false),
        (format!("before={inside}&limit=3"), "234", true, true),
        (format!("before={}", seqs[0]), "", false, true),
        (format!("after={inside}&limit=2"), "67", true, true),
        (format!("after={inside}"), "6789", true, false),
        (format!("after={}", seqs[9]), "", true, false),
        ("after=0&limit=2".to_owned(), "01", false, true),
        (format!("around={inside}&limit=5"), "34567", true, true),
        (format!("around={outside}&limit=4"), "4567", true, true),
        (format!("around={}&limit=1", u64::MAX), "9", true, false),
        (format!("around={}&limit=4", seqs[0]), "012", false, true),
    ] {
        let page = told.page(&query).await;
        assert_eq!(contents(&page), expected, "{query}");
        let sides = (&page["hasBefore"], &page["hasAfter"]);
        assert_eq!(sides, (&json!(has_before), &json!(has_after)), "{query}");
        assert_eq!(page["head"], json!(seqs[9]), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_room_has_an_empty_history() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let path = format!("/api/chat/rooms/{room}/messages");
    let page = world.get(&kim, &path).send().await;
    let expected = json!({ "items": [], "hasBefore": false, "hasAfter": false, "head": 0 });
    assert_eq!(page.data(), &expected);
    for (query, status) in [
        ("before=1&after=2", 400),
        ("before=1&around=2", 400),
        ("before=x", 422),
        ("limit=0", 422),
        ("limit=101", 422),
    ] {
        let reply = world.get(&kim, &format!("{path}?{query}")).send().await;
        assert_eq!(reply.status, status, "{query}");
    }
}
