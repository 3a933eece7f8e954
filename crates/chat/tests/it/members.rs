//! `/api/chat/rooms/{id}/members`, `join` and `leave`: who is in a room, and who decides that.

use axum::http::Method;
use doran_contract::RoomId;
use serde_json::{Value, json};

use crate::world::{Person, World};

fn members(room: RoomId) -> String {
    format!("/api/chat/rooms/{room}/members")
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_with_name_and_picture_in_the_order_in_which_they_came() {
    let world = World::start().await;
    let (kim, lee, park) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("park").await,
    );
    let room = world.room(&kim, &[]).await;
    let path = members(room);
    let added = world.post(&kim, &path, &json!({ "userId": lee.id, "role": "admin" }));
    let added = added.send().await;
    assert_eq!(added.status, 201);
    let expected = json!({
        "userId": lee.id, "name": "lee", "picture": "https://example.com/lee.png",
        "role": "admin", "joinedAt": added.data()["joinedAt"], "presence": "unknown",
    });
    assert_eq!(added.data(), &expected);
    let both = json!({ "userIds": [lee.id, park.id, park.id] });
    let more = world.post(&lee, &path, &both).send().await;
    assert_eq!(more.status, 201);
    assert_eq!(more.data()["items"][0], expected);
    assert_eq!(more.data()["items"].as_array().unwrap().len(), 2);

    let listed = world.read_after(&more, &park, &path).await;
    let listed = listed.data()["items"].as_array().unwrap().clone();
    assert_eq!(names(&listed), ["kim", "lee", "park"]);
    assert_eq!(listed[1], expected);
    assert_eq!(listed[2], more.data()["items"][1]);

    let first = world.get(&kim, &format!("{path}?limit=2")).send().await;
    let cursor = first.data()["nextCursor"].as_str().unwrap().to_owned();
    let rest = world.get(&kim, &format!("{path}?limit=2&cursor={cursor}"));
    let rest = rest.send().await;
    assert_eq!(names(rest.data()["items"].as_array().unwrap()), ["park"]);
    assert_eq!(rest.data()["nextCursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_somebody_who_is_there_writes_nothing() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[]).await;
    let body = json!({ "userId": lee.id });
    let first = world.post(&kim, &members(room), &body).send().await;
    let again = world.post(&kim, &members(room), &body).send().await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(again.data(), first.data());
    assert_eq!(world.head("CHATROOM").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_add_and_remove_depends_on_the_role() {
    let world = World::start().await;
    let (kim, lee, park, choi) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("park").await,
        world.person("choi").await,
    );
    let room = world.room(&kim, &[&park]).await;
    let path = members(room);
    let admin = json!({ "userId": lee.id, "role": "admin" });
    assert_eq!(world.post(&kim, &path, &admin).send().await.status, 201);
    let add = async |by: &Person, role: &str| {
        let body = json!({ "userId": choi.id, "role": role });
        let reply = world.post(by, &path, &body).send().await;
        (reply.status, reply.refusal().1.to_owned())
    };
    let forbidden = (403, "FORBIDDEN".to_owned());
    assert_eq!(add(&park, "member").await, forbidden);
    assert_eq!(add(&choi, "member").await, (403, "NOT_MEMBER".to_owned()));
    assert_eq!(add(&lee, "admin").await, forbidden);
    assert_eq!(add(&kim, "owner").await.0, 422);
    assert_eq!(add(&lee, "member").await.0, 201);

    let remove = async |by: &Person, whom: &Person| {
        let path = format!("{path}/{}", whom.id);
        let reply = world.call(Method::DELETE, by, &path).send().await;
        (reply.status, reply.refusal().1.to_owned())
    };
    assert_eq!(remove(&park, &choi).await, forbidden);
    assert_eq!(remove(&lee, &kim).await, forbidden);
    assert_eq!(remove(&lee, &choi).await.0, 200);
    assert_eq!(remove(&lee, &choi).await, (404, "NOT_FOUND".to_owned()));
    assert_eq!(remove(&kim, &lee).await.0, 200);
    let owner_leaves = (409, "OWNER_CANNOT_LEAVE".to_owned());
    assert_eq!(remove(&kim, &kim).await, owner_leaves);
    assert_eq!(remove(&park, &park).await.0, 200);

    for body in [
        json!({}),
        json!({ "userId": choi.id, "userIds": [choi.id] }),
        json!({ "userIds": [] }),
        json!({ "userId": "00000000-0000-0000-0000-000000000001" }),
    ] {
        let reply = world.post(&kim, &path, &body).send().await;
        assert_eq!(reply.status, 422, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_removed_reads_and_says_nothing_any_more() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[&lee]).await;
    world.say(&lee, room, "안녕").await;
    let path = format!("/api/chat/rooms/{room}");
    let left = world
        .post(&lee, &format!("{path}/leave"), &json!({}))
        .send()
        .await;
    assert_eq!(
        (&left.data()["role"], &left.data()["memberCount"]),
        (&Value::Null, &json!(1))
    );
    crate::world::until(async || {
        let known = world.platform.rooms().await.unwrap();
        known.look(room, |room| room.members.len()) == Some(1)
    })
    .await;
    let said = world
        .send(&lee, room, &json!({ "content": "x" }))
        .send()
        .await;
    assert_eq!(said.refusal(), (403, "NOT_MEMBER"));
    for path in [
        path.clone(),
        members(room),
        format!("{path}/messages"),
        format!("{path}/read"),
    ] {
        let read = world.get(&lee, &path).send().await;
        assert_eq!(read.refusal(), (403, "NOT_MEMBER"), "{path}");
    }
    let again = world
        .post(&lee, &format!("{path}/leave"), &json!({}))
        .send();
    assert_eq!(again.await.refusal(), (403, "NOT_MEMBER"));
    let listed = world.read_after(&left, &kim, &path).await;
    assert_eq!(listed.data()["memberCount"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_joins_a_public_room_and_speaks_at_once() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let body = json!({ "name": "열린 방", "visibility": "public" });
    let made = world.post(&kim, "/api/chat/rooms", &body).send().await;
    let public: RoomId = made.data()["id"].as_str().unwrap().parse().unwrap();
    let private = world.room(&kim, &[]).await;
    let join = async |room: RoomId| {
        let path = format!("/api/chat/rooms/{room}/join");
        world.call(Method::POST, &lee, &path).send().await
    };
    let joined = join(public).await;
    assert_eq!(joined.data()["role"], json!("member"));
    world.say(&lee, public, "안녕").await;
    let again = join(public).await;
    assert_eq!(again.header("etag"), joined.header("etag"));
    assert_eq!(join(private).await.refusal(), (403, "FORBIDDEN"));
}

fn names(members: &[Value]) -> Vec<&str> {
    members
        .iter()
        .map(|member| member["name"].as_str().unwrap())
        .collect()
}
