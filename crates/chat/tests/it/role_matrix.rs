//! Every call on a room and its messages, by everybody who may come, in an active and an archived
//! room.

use axum::http::Method;
use doran_contract::RoomId;
use serde_json::{Value, json};

use crate::world::{Person, World};

const THUMB: &str = "%F0%9F%91%8D";
const FINE: &str = "";
const ADMINS: [&str; 5] = [FINE, FINE, "FORBIDDEN", "NOT_MEMBER", "NOT_MEMBER"];
const OWNER: [&str; 5] = [FINE, "FORBIDDEN", "FORBIDDEN", "NOT_MEMBER", "NOT_MEMBER"];
const MEMBERS: [&str; 5] = [FINE, FINE, FINE, "NOT_MEMBER", "NOT_MEMBER"];
const AUTHOR: [&str; 5] = ["FORBIDDEN", "FORBIDDEN", FINE, "NOT_MEMBER", "NOT_MEMBER"];
const INACTIVE: &str = "ROOM_INACTIVE";

struct Everybody {
    world: World,
    owner: Person,
    admin: Person,
    member: Person,
    other: Person,
    stranger: Person,
    banned: Person,
}

/// A call, who may make it of owner, admin, member, stranger and banned, and what becomes of it in
/// an archived room when the first who may makes it.
struct Call {
    method: Method,
    end: String,
    body: Option<Value>,
    outcomes: [&'static str; 5],
    archived: &'static str,
}

fn call(
    method: Method,
    end: impl Into<String>,
    outcomes: [&'static str; 5],
    archived: &'static str,
) -> Call {
    Call {
        method,
        end: end.into(),
        body: None,
        outcomes,
        archived,
    }
}

impl Call {
    fn with(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }
}

impl Everybody {
    async fn start() -> Self {
        let world = World::start().await;
        Self {
            owner: world.person("kim").await,
            admin: world.person("lee").await,
            member: world.person("park").await,
            other: world.person("choi").await,
            stranger: world.person("jung").await,
            banned: world.person("kang").await,
            world,
        }
    }

    fn who_call(&self) -> [&Person; 5] {
        [
            &self.owner,
            &self.admin,
            &self.member,
            &self.stranger,
            &self.banned,
        ]
    }

    /// A room with each of them as they are called, and a message of the member.
    async fn room(&self) -> (RoomId, String) {
        let members = [&self.admin, &self.member, &self.other];
        let room = self.world.room(&self.owner, &members).await;
        let said = self.world.say(&self.member, room, "안녕").await;
        let path = format!("/api/chat/rooms/{room}");
        let admin = format!("{path}/members/{}", self.admin.id);
        let admin = self.world.call(Method::PATCH, &self.owner, &admin);
        let promoted = admin.json(&json!({ "role": "admin" })).send().await;
        assert_eq!(promoted.status, 200, "{}", promoted.body);
        let ban = format!("{path}/members/{}?ban=true", self.banned.id);
        let banned = self
            .world
            .call(Method::DELETE, &self.owner, &ban)
            .send()
            .await;
        // What reads it finds it.
        self.world.read_after(&banned, &self.owner, &path).await;
        (room, said.data()["id"].as_str().unwrap().to_owned())
    }

    async fn make(&self, call: &Call, by: &Person, (room, message): &(RoomId, String)) -> String {
        let end = call.end.replace("MESSAGE", message);
        let path = format!("/api/chat/rooms/{room}{end}");
        let made = self.world.call(call.method.clone(), by, &path);
        let made = match &call.body {
            Some(body) => made.json(body),
            None => made,
        };
        let reply = made.send().await;
        if reply.status < 300 {
            return FINE.to_owned();
        }
        assert!(reply.status < 500, "{end} {}", reply.body);
        reply.refusal().1.to_owned()
    }

    fn calls(&self) -> Vec<Call> {
        let other = format!("/members/{}", self.other.id);
        let reaction = format!("/messages/MESSAGE/reactions/{THUMB}");
        let add = json!({ "userId": self.stranger.id });
        vec![
            call(Method::GET, "/messages", MEMBERS, FINE),
            call(Method::GET, "/members", MEMBERS, FINE),
            call(Method::GET, "/read", MEMBERS, FINE),
            call(Method::GET, "", MEMBERS, FINE),
            call(Method::PUT, "/read", MEMBERS, FINE).with(json!({ "seq": 1 })),
            call(Method::POST, "/messages", MEMBERS, INACTIVE).with(json!({ "content": "x" })),
            call(Method::PATCH, "/messages/MESSAGE", AUTHOR, INACTIVE)
                .with(json!({ "content": "x" })),
            call(Method::DELETE, "/messages/MESSAGE", MEMBERS, INACTIVE),
            call(Method::PUT, &reaction, MEMBERS, INACTIVE),
            call(Method::DELETE, &reaction, MEMBERS, INACTIVE),
            call(Method::PUT, "/messages/MESSAGE/pin", ADMINS, INACTIVE),
            call(Method::DELETE, "/messages/MESSAGE/pin", ADMINS, INACTIVE),
            call(Method::PATCH, "", ADMINS, INACTIVE).with(json!({ "name": "x" })),
            call(Method::PATCH, "", ADMINS, INACTIVE).with(json!({ "description": "x" })),
            call(Method::PATCH, "", OWNER, INACTIVE).with(json!({ "settings": { "a": 1 } })),
            call(Method::PATCH, "", OWNER, INACTIVE).with(json!({ "visibility": "public" })),
            call(Method::POST, "/members", ADMINS, INACTIVE).with(add),
            call(Method::PATCH, &other, OWNER, INACTIVE).with(json!({ "role": "admin" })),
            call(Method::DELETE, &other, ADMINS, INACTIVE),
            call(
                Method::DELETE,
                format!("{other}?ban=true"),
                ADMINS,
                INACTIVE,
            ),
            call(
                Method::DELETE,
                format!("/bans/{}", self.banned.id),
                ADMINS,
                INACTIVE,
            ),
            call(Method::POST, "/invites", ADMINS, INACTIVE).with(json!({})),
            call(Method::POST, "/archive", OWNER, FINE),
            call(Method::POST, "/unarchive", OWNER, FINE),
            call(Method::DELETE, "", OWNER, FINE),
            call(
                Method::POST,
                "/leave",
                ["OWNER_CANNOT_LEAVE", FINE, FINE, "NOT_MEMBER", "NOT_MEMBER"],
                FINE,
            ),
            call(
                Method::POST,
                "/join",
                [FINE, FINE, FINE, "FORBIDDEN", "FORBIDDEN"],
                FINE,
            ),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_for_those_whose_role_allows_it() {
    let everybody = Everybody::start().await;
    for call in everybody.calls() {
        let mut outcomes = Vec::new();
        for person in everybody.who_call() {
            let room = everybody.room().await;
            outcomes.push(everybody.make(&call, person, &room).await);
        }
        assert_eq!(
            outcomes, call.outcomes,
            "{} {} {:?}",
            call.method, call.end, call.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_room_takes_only_what_does_not_change_it() {
    let everybody = Everybody::start().await;
    for call in everybody.calls() {
        let may = call.outcomes.iter().position(|outcome| *outcome == FINE);
        let by = everybody.who_call()[may.unwrap()];
        let (room, message) = everybody.room().await;
        let path = format!("/api/chat/rooms/{room}/archive");
        let archived = everybody.world.call(Method::POST, &everybody.owner, &path);
        let archived = archived.send().await;
        assert_eq!(archived.status, 200, "{}", archived.body);
        let outcome = everybody.make(&call, by, &(room, message)).await;
        assert_eq!(
            outcome, call.archived,
            "{} {} {:?}",
            call.method, call.end, call.body
        );
    }
}
