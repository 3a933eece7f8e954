//! What becomes of rooms and their members: settings, archive and deletion, roles, bans, invites.

use axum::http::Method;
use doran_contract::RoomId;
use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{Person, World};

const ROOMS: &str = "/api/chat/rooms";

struct Three {
    world: World,
    owner: Person,
    member: Person,
    stranger: Person,
    room: RoomId,
}

async fn three() -> Three {
    let world = World::start().await;
    let (owner, member, stranger) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("park").await,
    );
    let room = world.room(&owner, &[&member]).await;
    Three {
        world,
        owner,
        member,
        stranger,
        room,
    }
}

impl Three {
    async fn call(&self, method: Method, person: &Person, end: &str) -> Reply {
        let path = format!("{ROOMS}/{}{end}", self.room);
        self.world.call(method, person, &path).send().await
    }

    async fn ask(&self, method: Method, person: &Person, end: &str, body: &Value) -> Reply {
        let path = format!("{ROOMS}/{}{end}", self.room);
        let call = self.world.call(method, person, &path);
        call.json(body).send().await
    }

    async fn say(&self, person: &Person) -> Reply {
        let body = json!({ "content": "x" });
        self.world.send(person, self.room, &body).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_two_people_have_one_direct_room_whoever_makes_it() {
    let three = three().await;
    let (world, kim, lee) = (&three.world, &three.owner, &three.member);
    let make = async |by: &Person, with: &Person| {
        let body = json!({ "kind": "direct", "memberIds": [with.id] });
        world.post(by, ROOMS, &body).send().await
    };
    let first = make(kim, lee).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = make(lee, kim).await;
    assert_eq!(
        (again.status, &again.data()["id"]),
        (200, &first.data()["id"])
    );
    assert_eq!(again.data()["role"], "member");
    let other = make(kim, &three.stranger).await;
    assert_ne!(other.data()["id"], first.data()["id"]);
    let id = first.data()["id"].as_str().unwrap();
    let leave = world.call(Method::POST, lee, &format!("{ROOMS}/{id}/leave"));
    assert_eq!(leave.send().await.refusal(), (409, "CONFLICT"));
    let open = json!({ "name": "둘", "kind": "direct", "visibility": "public",
        "memberIds": [lee.id] });
    let open = world.post(kim, ROOMS, &open).send().await;
    assert_eq!((open.status, open.fields()), (422, vec!["visibility"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_keeps_settings_and_opens_a_room() {
    let three = three().await;
    let body = json!({ "settings": { "theme": "dark", "n": [1, null] }, "visibility": "public" });
    let refused = three.ask(Method::PATCH, &three.member, "", &body).await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
    let changed = three.ask(Method::PATCH, &three.owner, "", &body).await;
    assert_eq!(
        changed.data()["settings"],
        body["settings"],
        "{}",
        changed.body
    );
    assert_eq!(changed.data()["visibility"], "public");
    let path = format!("{ROOMS}/{}", three.room);
    let read = three.world.read_after(&changed, &three.owner, &path).await;
    assert_eq!(read.data(), changed.data());
    let seen = three.world.get(&three.stranger, &path).send().await;
    assert_eq!(seen.data()["settings"], body["settings"]);
    let large = json!({ "settings": { "x": "y".repeat(17_000) } });
    let large = three.ask(Method::PATCH, &three.owner, "", &large).await;
    assert_eq!((large.status, large.fields()), (422, vec!["settings"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_room_is_read_and_refuses_every_write() {
    let three = three().await;
    let (owner, member) = (&three.owner, &three.member);
    let said = three.say(member).await;
    let id = said.data()["id"].as_str().unwrap();
    let by_member = three.call(Method::POST, member, "/archive").await;
    assert_eq!(by_member.refusal(), (403, "FORBIDDEN"));
    let archived = three.call(Method::POST, owner, "/archive").await;
    assert_eq!(archived.data()["status"], "archived", "{}", archived.body);
    let path = format!("{ROOMS}/{}", three.room);
    let read = three.world.read_after(&archived, member, &path).await;
    assert_eq!(read.data()["status"], "archived");
    let history = three.world.get(member, &format!("{path}/messages"));
    assert_eq!(history.send().await.status, 200);

    let inactive = (409, "ROOM_INACTIVE");
    assert_eq!(three.say(owner).await.refusal(), inactive);
    let message = format!("/messages/{id}");
    let name = json!({ "name": "b" });
    let new = json!({ "userId": three.stranger.id });
    let role = json!({ "role": "admin" });
    let of_member = format!("/members/{}", member.id);
    for (method, end, body) in [
        (Method::PATCH, "", &name),
        (Method::POST, "/members", &new),
        (Method::PATCH, of_member.as_str(), &role),
        (Method::POST, "/invites", &json!({})),
        (Method::PATCH, message.as_str(), &json!({ "content": "y" })),
    ] {
        let by = if end == message { member } else { owner };
        let refused = three.ask(method, by, end, body).await;
        assert_eq!(refused.refusal(), inactive, "{end}");
    }
    for (method, end) in [
        (Method::DELETE, of_member.clone()),
        (Method::DELETE, format!("{of_member}?ban=true")),
        (Method::DELETE, message.clone()),
        (Method::PUT, format!("{message}/pin")),
        (Method::PUT, format!("{message}/reactions/%F0%9F%91%8D")),
    ] {
        let refused = three.call(method, owner, &end).await;
        assert_eq!(refused.refusal(), inactive, "{end}");
    }
    let opened = three.call(Method::POST, owner, "/unarchive").await;
    assert_eq!(opened.data()["status"], "active");
    assert_eq!(three.say(member).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_room_is_gone_from_everywhere() {
    let three = three().await;
    three.say(&three.member).await;
    let refused = three.call(Method::DELETE, &three.member, "").await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
    let deleted = three.call(Method::DELETE, &three.owner, "").await;
    assert_eq!((deleted.status, &deleted.body["data"]), (200, &Value::Null));
    let listed = three.world.read_after(&deleted, &three.owner, ROOMS).await;
    assert_eq!(listed.data()["items"], json!([]));
    let missing = (404, "NOT_FOUND");
    assert_eq!(three.say(&three.member).await.refusal(), missing);
    for (method, end) in [
        (Method::GET, ""),
        (Method::GET, "/messages"),
        (Method::POST, "/join"),
        (Method::DELETE, ""),
    ] {
        let gone = three.call(method, &three.owner, end).await;
        assert_eq!(gone.refusal(), missing, "{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_makes_admins_and_takes_it_back() {
    let three = three().await;
    let end = format!("/members/{}", three.member.id);
    let change = async |by: &Person, role: &str| {
        three
            .ask(Method::PATCH, by, &end, &json!({ "role": role }))
            .await
    };
    assert_eq!(
        change(&three.member, "admin").await.refusal(),
        (403, "FORBIDDEN")
    );
    assert_eq!(
        change(&three.stranger, "admin").await.refusal(),
        (403, "NOT_MEMBER")
    );
    assert_eq!(change(&three.owner, "owner").await.status, 422);
    let promoted = change(&three.owner, "admin").await;
    assert_eq!(promoted.data()["role"], "admin", "{}", promoted.body);
    assert_eq!(promoted.data()["userId"], json!(three.member.id));
    let path = format!("{ROOMS}/{}/members", three.room);
    let listed = three.world.read_after(&promoted, &three.owner, &path).await;
    assert_eq!(&listed.data()["items"][1], promoted.data());
    let rename = json!({ "name": "b" });
    let renamed = three.ask(Method::PATCH, &three.member, "", &rename).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(
        change(&three.owner, "member").await.data()["role"],
        "member"
    );
    let renamed = three.ask(Method::PATCH, &three.member, "", &rename).await;
    assert_eq!(renamed.refusal(), (403, "FORBIDDEN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_banned_comes_in_on_no_way_until_unbanned() {
    let three = three().await;
    let (world, owner, member) = (&three.world, &three.owner, &three.member);
    let open = json!({ "visibility": "public" });
    assert_eq!(three.ask(Method::PATCH, owner, "", &open).await.status, 200);
    let invite = three.ask(Method::POST, owner, "/invites", &json!({})).await;
    let link = invite.data()["link"].as_str().unwrap();
    let ban = format!("/members/{}?ban=true", member.id);
    let by_stranger = three.call(Method::DELETE, &three.stranger, &ban).await;
    assert_eq!(by_stranger.refusal(), (403, "NOT_MEMBER"));
    let banned = three.call(Method::DELETE, owner, &ban).await;
    assert_eq!(banned.data()["memberCount"], json!(1), "{}", banned.body);
    assert_eq!(three.say(member).await.refusal(), (403, "NOT_MEMBER"));
    let forbidden = (403, "FORBIDDEN");
    assert_eq!(
        three.call(Method::POST, member, "/join").await.refusal(),
        forbidden
    );
    let accepted = world.call(Method::POST, member, link).send().await;
    assert_eq!(accepted.refusal(), forbidden);
    let again = json!({ "userId": member.id });
    let added = three.ask(Method::POST, owner, "/members", &again).await;
    assert_eq!(added.refusal(), (409, "CONFLICT"));

    let end = format!("/bans/{}", member.id);
    let by_member = three.call(Method::DELETE, member, &end).await;
    assert_eq!(by_member.refusal(), (403, "NOT_MEMBER"));
    assert_eq!(three.call(Method::DELETE, owner, &end).await.status, 200);
    assert_eq!(three.call(Method::POST, member, "/join").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_in_who_has_its_code_as_often_as_it_says() {
    let three = three().await;
    let (world, owner) = (&three.world, &three.owner);
    let by_member = three
        .ask(Method::POST, &three.member, "/invites", &json!({}))
        .await;
    assert_eq!(by_member.refusal(), (403, "FORBIDDEN"));
    let make = async || {
        let path = format!("{ROOMS}/{}/invites", three.room);
        let call = world.post(owner, &path, &json!({ "maxUses": 1 }));
        call.header("idempotency-key", "one").send().await
    };
    let invite = make().await;
    assert_eq!(invite.status, 201, "{}", invite.body);
    assert_eq!(make().await.data()["code"], invite.data()["code"]);
    let code = invite.data()["code"].as_str().unwrap();
    for event in world.raw("CHATROOM").await {
        assert!(!event.contains(code), "{event}");
    }
    let accept = async |person: &Person, code: &str| {
        let path = format!("/api/chat/invites/{code}/accept");
        world.call(Method::POST, person, &path).send().await
    };
    let joined = accept(&three.stranger, code).await;
    assert_eq!(joined.data()["role"], "member", "{}", joined.body);
    assert_eq!(joined.data()["id"], json!(three.room));
    assert_eq!(accept(&three.stranger, code).await.status, 200);
    let late = world.person("choi").await;
    let missing = (404, "NOT_FOUND");
    assert_eq!(accept(&late, code).await.refusal(), missing);
    let mut other = code.to_owned();
    other.replace_range(30..31, if &code[30..31] == "A" { "B" } else { "A" });
    for wrong in [other.as_str(), "nonsense", "-"] {
        assert_eq!(accept(&late, wrong).await.refusal(), missing, "{wrong}");
    }
    for body in [json!({ "maxUses": 0 }), json!({ "expiresInSeconds": 1 })] {
        let refused = three.ask(Method::POST, owner, "/invites", &body).await;
        assert_eq!(refused.status, 422, "{body}");
    }
}
