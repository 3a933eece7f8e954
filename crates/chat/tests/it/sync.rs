//! `GET /api/chat/sync`: where every room stands, in one call.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{World, sequence};

fn room_ids(reply: &doran_testkit::Reply) -> Vec<Value> {
    let rooms = reply.data()["rooms"].as_array().unwrap();
    rooms.iter().map(|room| room["roomId"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_room_comes_with_its_head_and_what_is_unread() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let silent = world.room(&kim, &[]).await;
    let room = world.room(&lee, &[&kim]).await;
    let named = json!({ "content": "안녕", "mentions": [kim.id] });
    let first = world.send(&lee, room, &named).send().await;
    let second = world.say(&lee, room, "둘").await;
    let id = first.data()["id"].as_str().unwrap();
    let pin = format!("/api/chat/rooms/{room}/messages/{id}/pin");
    let pinned = world.call(Method::PUT, &lee, &pin).send().await;
    let path = format!("/api/chat/rooms/{room}/read");
    let read = world.call(Method::PUT, &kim, &path);
    let read = read.json(&json!({ "seq": sequence(&first) })).send().await;
    let rooms = world.head("CHATROOM").await;
    let position = format!("{},CHATROOM:{rooms}", read.header("doran-position"));
    let sync = async |query: &str| {
        let call = world.get(&kim, &format!("/api/chat/sync{query}"));
        call.header("doran-min-position", &position).send().await
    };
    let all = sync("").await;
    assert_eq!(room_ids(&all), [json!(room), json!(silent)]);
    let mut expected = second.data().clone();
    expected["reactions"] = json!([]);
    let epoch = all.data()["rooms"][0]["epoch"].clone();
    assert!(epoch.is_string());
    assert_eq!(
        all.data()["rooms"],
        json!([
            {
                "roomId": room, "epoch": epoch, "head": sequence(&pinned),
                "readSeq": sequence(&first), "unreadCount": 1, "mentionCount": 0,
                "lastMessage": expected,
            },
            {
                "roomId": silent, "epoch": epoch, "head": 0, "readSeq": 0, "unreadCount": 0,
                "mentionCount": 0, "lastMessage": null,
            },
        ])
    );
    let since = second.data()["createdAt"].as_str().unwrap();
    assert_eq!(
        room_ids(&sync(&format!("?since={since}")).await),
        [json!(room)]
    );
    assert_eq!(
        room_ids(&sync("?since=2126-01-01T00:00:00Z").await),
        [] as [Value; 0]
    );
    for (of, expected) in [(room, vec![json!(room)]), (silent, vec![json!(silent)])] {
        assert_eq!(room_ids(&sync(&format!("?roomId={of}")).await), expected);
    }
    assert_eq!(sync("?since=yesterday").await.status, 422);
}
