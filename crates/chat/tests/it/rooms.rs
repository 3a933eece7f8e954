//! `/api/chat/rooms`: making, finding and changing rooms.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{Person, World, sequence, until};

const ROOMS: &str = "/api/chat/rooms";

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_answered_as_it_is_read_later() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let body = json!({
        "roomName": " 주간 회의 ", "description": "매주", "visibility": "public",
        "memberIds": [lee.id, kim.id],
    });
    let made = world.post(&kim, ROOMS, &body).send().await;
    assert_eq!(made.status, 201);
    let room = made.data();
    let path = format!("{ROOMS}/{}", room["id"].as_str().unwrap());
    assert_eq!(made.header("location"), path);
    assert_eq!(made.header("etag"), format!("\"{}\"", sequence(&made)));
    let expected = json!({
        "id": room["id"], "name": "주간 회의", "description": "매주", "kind": "group",
        "visibility": "public", "ownerId": kim.id, "botId": null, "settings": {},
        "memberCount": 2, "role": "owner", "status": "active", "lastMessage": null,
        "lastMessageAt": null, "unreadCount": 0, "mentionCount": 0,
        "createdAt": room["createdAt"], "updatedAt": room["createdAt"],
    });
    assert_eq!(room, &expected);
    let read = world.read_after(&made, &kim, &path).await;
    assert_eq!(read.data(), &expected);
    assert_eq!(read.header("etag"), made.header("etag"));
    let seen_by_lee = world.get(&lee, &path).send().await;
    assert_eq!(seen_by_lee.data()["role"], json!("member"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_there_for_those_who_ask_at_once_and_name_no_position() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    for _ in 0..10 {
        let made = world.post(&kim, ROOMS, &json!({ "name": "회의" })).send();
        let made = made.await;
        let read = world.get(&kim, made.header("location")).send().await;
        assert_eq!(read.data()["id"], made.data()["id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_room_can_be_is_refused_and_nothing_is_written() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let nobody = "00000000-0000-0000-0000-000000000001";
    let too_many: Vec<_> = (0..501).map(|_| nobody).collect();
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "  " }), "name"),
        (json!({ "name": "x".repeat(101) }), "name"),
        (json!({ "name": "a\u{7}" }), "name"),
        (json!({ "name": 7 }), "name"),
        (
            json!({ "name": "a", "description": "x".repeat(1001) }),
            "description",
        ),
        (json!({ "name": "a", "kind": "choir" }), "kind"),
        (json!({ "name": "a", "kind": "direct" }), "memberIds"),
        (json!({ "name": "a", "visibility": "secret" }), "visibility"),
        (
            json!({ "name": "a", "memberIds": [kim.id, nobody] }),
            "memberIds[1]",
        ),
        (json!({ "name": "a", "memberIds": too_many }), "memberIds"),
    ] {
        let reply = world.post(&kim, ROOMS, &body).send().await;
        assert_eq!((reply.status, reply.fields()), (422, vec![field]), "{body}");
    }
    assert_eq!(world.api.get(ROOMS).send().await.status, 401);
    assert_eq!(world.head("CHATROOM").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_creation_makes_one_room() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let make = async |name: &str| {
        let call = world.post(&kim, ROOMS, &json!({ "name": name }));
        call.header("idempotency-key", "one").send().await
    };
    let first = make("a").await;
    let again = make("a").await;
    assert_eq!(again.status, 201);
    assert_eq!(again.data(), first.data());
    assert_eq!(sequence(&again), sequence(&first));
    assert_eq!(make("b").await.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(world.head("CHATROOM").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_renames_that_saw_the_same_version_one_wins() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let made = world
        .post(&kim, ROOMS, &json!({ "name": "a" }))
        .send()
        .await;
    let path = format!("{ROOMS}/{}", made.data()["id"].as_str().unwrap());
    let renames = (0..20).map(|n| {
        world
            .call(Method::PATCH, &kim, &path)
            .header("if-match", made.header("etag"))
            .json(&json!({ "name": format!("name {n}") }))
            .send()
    });
    let replies = futures_util::future::join_all(renames).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 19));
    for reply in lost {
        assert_eq!(reply.refusal(), (412, "PRECONDITION_FAILED"));
    }
    let read = world.read_after(won[0], &kim, &path).await;
    assert_eq!(read.data(), won[0].data());
    assert_eq!(read.header("etag"), won[0].header("etag"));
    assert_eq!(world.head("CHATROOM").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn name_and_description_change_together_and_only_if_they_differ() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let made = world
        .post(&kim, ROOMS, &json!({ "name": "a" }))
        .send()
        .await;
    let path = format!("{ROOMS}/{}", made.data()["id"].as_str().unwrap());
    let change = async |body: Value| {
        let call = world.call(Method::PATCH, &kim, &path);
        call.json(&body).send().await
    };
    let both = change(json!({ "name": "b", "description": "first\nsecond" })).await;
    assert_eq!(both.data()["name"], json!("b"));
    assert_eq!(both.data()["description"], json!("first\nsecond"));
    assert_eq!(both.data()["createdAt"], made.data()["createdAt"]);
    assert_eq!(sequence(&both), 3);
    let same = change(json!({ "roomName": "b" })).await;
    assert_eq!((same.data(), sequence(&same)), (both.data(), 3));
    let cleared = change(json!({ "description": null })).await;
    assert_eq!(cleared.data()["description"], Value::Null);
    let read = world.read_after(&cleared, &kim, &path).await;
    assert_eq!(read.data(), cleared.data());
    let wrong = change(json!({ "name": "" })).await;
    assert_eq!((wrong.status, wrong.fields()), (422, vec!["name"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_for_their_members() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[]).await;
    let unknown = "00000000-0000-0000-0000-000000000001";
    let body = json!({ "name": "b" });
    for (path, expected) in [
        (format!("{ROOMS}/{room}"), (403, "NOT_MEMBER")),
        (format!("{ROOMS}/{unknown}"), (404, "NOT_FOUND")),
        (format!("{ROOMS}/nonsense"), (400, "BAD_REQUEST")),
    ] {
        let read = world.get(&lee, &path).send().await;
        assert_eq!(read.refusal(), expected, "{path}");
        let renamed = world.call(Method::PATCH, &lee, &path).json(&body).send();
        assert_eq!(renamed.await.refusal(), expected, "{path}");
    }
    assert_eq!(world.head("CHATROOM").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn my_rooms_come_with_the_liveliest_first_in_pages() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(world.room(&kim, &[&lee]).await);
    }
    world.room(&lee, &[]).await;
    let said = world.say(&lee, rooms[1], "안녕").await;
    until(async || list(&world, &kim, "").await.0.len() == 5).await;
    world.read_after(&said, &kim, ROOMS).await;

    let expected: Vec<Value> = [1, 4, 3, 2, 0].iter().map(|n| json!(rooms[*n])).collect();
    let (all, next) = list(&world, &kim, "").await;
    assert_eq!((ids(&all), next), (expected.clone(), None));
    assert_eq!(all[0]["lastMessage"]["content"], json!("안녕"));
    assert_eq!(all[0]["lastMessageAt"], said.data()["createdAt"]);
    assert_eq!(all[0]["unreadCount"], json!(1));

    let (mut paged, mut cursor) = (Vec::new(), None);
    for _ in 0..3 {
        let query = cursor.map_or(String::new(), |cursor: String| format!("&cursor={cursor}"));
        let (items, next) = list(&world, &kim, &format!("limit=2{query}")).await;
        paged.extend(ids(&items));
        cursor = next;
    }
    assert_eq!((paged, cursor), (expected, None));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let reply = world.get(&kim, &format!("{ROOMS}?{query}")).send().await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec![field]),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_rooms_are_found_by_part_of_their_name_and_shown_without_what_was_said() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let body = json!({ "name": "Rust 모임", "visibility": "public" });
    let made = world.post(&kim, ROOMS, &body).send().await;
    let id = made.data()["id"].as_str().unwrap();
    world.room(&kim, &[]).await;
    let said = world.say(&kim, id.parse().unwrap(), "비밀").await;
    world.read_after(&said, &kim, ROOMS).await;

    let find = async |query: &str| {
        let path = format!("{ROOMS}/public?{query}");
        let reply = world.read_after(&made, &lee, &path).await;
        reply.data()["items"].as_array().unwrap().clone()
    };
    assert_eq!(find("").await.len(), 1);
    assert_eq!(find("q=nothing").await.len(), 0);
    let found = find("q=rust").await;
    assert_eq!(found[0]["id"], json!(id));
    assert_eq!(
        (&found[0]["role"], &found[0]["lastMessage"]),
        (&Value::Null, &Value::Null)
    );
    let read = world.get(&lee, &format!("{ROOMS}/{id}")).send().await;
    assert_eq!(read.data(), &found[0]);
    let history = world.get(&lee, &format!("{ROOMS}/{id}/messages")).send();
    assert_eq!(history.await.refusal(), (403, "NOT_MEMBER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_says_that_it_lives() {
    let world = World::start().await;
    let reply = world.api.get("/api/chat/health").send().await;
    assert_eq!(reply.data()["status"], json!("UP"));
}

async fn list(world: &World, person: &Person, query: &str) -> (Vec<Value>, Option<String>) {
    let reply = world.get(person, &format!("{ROOMS}?{query}")).send().await;
    let items = reply.data()["items"].as_array().unwrap().clone();
    let next = reply.data()["nextCursor"].as_str().map(str::to_owned);
    (items, next)
}

fn ids(rooms: &[Value]) -> Vec<Value> {
    rooms.iter().map(|room| room["id"].clone()).collect()
}
