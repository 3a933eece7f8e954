//! `docs/api/access.md` is what the routers have, and what everybody is told who asks.

use std::{collections::BTreeSet, fs};

use doran_supervisor::workspace;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    chat::{PASSWORD, Person},
    system::System,
};

/// A picture of one pixel.
const PICTURE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
}

/// Everybody who asks, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Anonymous,
    Suspended,
    Deleted,
    Stranger,
    Member,
    Moderator,
    /// Whose account, room and message the path names.
    Owner,
    Administrator,
}

const CALLERS: [Caller; 8] = [
    Caller::Anonymous,
    Caller::Suspended,
    Caller::Deleted,
    Caller::Stranger,
    Caller::Member,
    Caller::Moderator,
    Caller::Owner,
    Caller::Administrator,
];

pub(crate) fn table() -> Vec<(Route, String)> {
    let path = workspace().join("docs/api/access.md");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let [method, path, who, _] = cells[..] else {
            return None;
        };
        path.starts_with("/api").then(|| {
            let route = Route {
                method: method.to_owned(),
                path: path.to_owned(),
            };
            (route, who.to_owned())
        })
    });
    lines.collect()
}

/// What the sources of the services route: `.route("<path>", <method>(…).<method>(…))`.
pub(crate) fn routed() -> BTreeSet<Route> {
    let mut routed = BTreeSet::new();
    for service in ["auth", "user", "chat", "store", "batch"] {
        let file = workspace().join(format!("crates/{service}/src/routes.rs"));
        let source = fs::read_to_string(file).unwrap();
        for part in source.split(".route(").skip(1) {
            let path = part.split('"').nth(1).unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                let calls = [format!(" {method}("), format!(".{method}(")];
                let handlers = part.split(".route(").next().unwrap();
                if calls.iter().any(|call| handlers.contains(call)) {
                    routed.insert(Route {
                        method: method.to_uppercase(),
                        path: path.to_owned(),
                    });
                }
            }
        }
    }
    routed
}

fn may(caller: Caller, who: &str) -> bool {
    use Caller::{
        Administrator, Anonymous, Deleted, Member, Moderator, Owner, Stranger, Suspended,
    };
    match who {
        "anyone" => true,
        "account" => !matches!(caller, Anonymous | Suspended | Deleted),
        "self" | "owner" | "author" | "uploader" => caller == Owner,
        "self or admin" | "uploader or admin" => matches!(caller, Owner | Administrator),
        "admin" => caller == Administrator,
        "member" => matches!(caller, Member | Moderator | Owner),
        "moderator" | "author or moderator" => matches!(caller, Moderator | Owner),
        other => panic!("nobody knows who is meant by {other:?}, not even {Stranger:?}"),
    }
}

/// Everybody, and what the placeholders of a path stand for.
struct Scene<'a> {
    system: &'a System,
    anonymous: Person,
    suspended: Person,
    deleted: Person,
    stranger: Person,
    member: Person,
    moderator: Person,
    other: Person,
    administrator: Person,
}

impl<'a> Scene<'a> {
    async fn new(system: &'a System) -> Self {
        let register = async |name: &str| Person::register(system, name).await;
        let scene = Self {
            system,
            anonymous: Person::stranger(system),
            suspended: register("suspended").await,
            deleted: register("deleted").await,
            stranger: register("stranger").await,
            member: register("member").await,
            moderator: register("moderator").await,
            other: register("other").await,
            administrator: register("administrator").await,
        };
        for words in [
            ["users", "promote", "administrator@example.com"],
            ["users", "suspend", "suspended@example.com"],
        ] {
            assert_eq!(system.run(&words).await.code, 0);
        }
        let path = format!("/api/users/{}", scene.deleted.id);
        let deleted = scene.deleted.call(Method::DELETE, &path, None).await;
        assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.data);
        scene.until_known().await;
        scene
    }

    /// Waits until the process has heard of what became of them.
    async fn until_known(&self) {
        for _ in 0..400 {
            let ended = [&self.suspended, &self.deleted];
            let mut refused = 0;
            for person in ended {
                let me = person.call(Method::GET, "/api/auth/me", None).await;
                refused += usize::from(me.status == StatusCode::UNAUTHORIZED);
            }
            let audit = self
                .administrator
                .call(Method::GET, "/api/users/audit", None);
            if refused == ended.len() && audit.await.status == StatusCode::OK {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("suspension, deletion or promotion is not heard of");
    }

    fn person<'p>(&'p self, caller: Caller, owner: &'p Person) -> &'p Person {
        match caller {
            Caller::Anonymous => &self.anonymous,
            Caller::Suspended => &self.suspended,
            Caller::Deleted => &self.deleted,
            Caller::Stranger => &self.stranger,
            Caller::Member => &self.member,
            Caller::Moderator => &self.moderator,
            Caller::Owner => owner,
            Caller::Administrator => &self.administrator,
        }
    }

    /// The path of a route on an account, a room and a message of its own.
    async fn path(&self, route: &Route, owner: &Person, email: &str) -> String {
        let mut path = route.path.clone();
        if path.starts_with("/api/chat/rooms/{id}") {
            let is_public = path.ends_with("/join");
            let room = owner
                .post(
                    "/api/chat/rooms",
                    &json!({
                        "name": "room",
                        "visibility": if is_public { "public" } else { "private" },
                        "memberIds": [self.member.id, self.moderator.id, self.other.id],
                    }),
                )
                .await;
            let room = room.data["id"].as_str().unwrap().to_owned();
            let members = format!("/api/chat/rooms/{room}/members/{}", self.moderator.id);
            let role = Some(json!({ "role": "admin" }));
            let promoted = owner.call(Method::PATCH, &members, role).await;
            assert_eq!(promoted.status, StatusCode::OK, "{}", promoted.data);
            let messages = format!("/api/chat/rooms/{room}/messages");
            let sent = owner.post(&messages, &json!({ "content": "text" })).await;
            let message = sent.data["id"].as_str().unwrap();
            path = path.replace("{id}", &room).replace("{message}", message);
        }
        let path = path
            .replace("{user}", &self.other.id)
            .replace("{emoji}", "%F0%9F%91%8D")
            .replace("{code}", "nothing")
            .replace("{email}", email);
        if path.starts_with("/api/store/files/{id}") {
            return path.replace("{id}", &owner.upload("a.gif", PICTURE).await);
        }
        let is_of_nobody =
            path.starts_with("/api/auth/sessions") || path.starts_with("/api/store/bookmarks");
        let path = if is_of_nobody {
            path.replace("{id}", "00000000-0000-4000-8000-000000000000")
        } else {
            path.replace("{id}", &owner.id)
        };
        match route.path.as_str() {
            "/api/users/{id}/status" => path + "?status=INACTIVE",
            "/api/chat/search" | "/api/users/search" => path + "?q=text",
            _ => path,
        }
    }

    async fn try_as_everybody(&self, route: &Route, who: &str, number: usize) {
        let name = format!("owner{number}");
        let owner = Person::register(self.system, &name).await;
        let path = self
            .path(route, &owner, &format!("{name}@example.com"))
            .await;
        let method: Method = route.method.parse().unwrap();
        let body = body(route, &self.stranger);
        // Those who may not change anything come first.
        let (allowed, refused): (Vec<_>, Vec<_>) =
            CALLERS.into_iter().partition(|caller| may(*caller, who));
        for caller in refused {
            let person = self.person(caller, &owner);
            let reply = person.call(method.clone(), &path, body.clone()).await;
            let has_ended = matches!(
                caller,
                Caller::Anonymous | Caller::Suspended | Caller::Deleted
            );
            let is_right = if has_ended {
                reply.status == StatusCode::UNAUTHORIZED
            } else {
                [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&reply.status)
            };
            assert!(
                is_right,
                "{caller:?} {route:?}: {} {}",
                reply.status, reply.data
            );
        }
        let is_read = method == Method::GET || who == "anyone";
        let allowed = match who {
            _ if is_read => allowed,
            // What somebody does to their own session must not end everybody's.
            "account" => vec![Caller::Owner],
            // What the least of them did cannot be done twice.
            _ => allowed.into_iter().take(1).collect(),
        };
        for caller in allowed {
            let person = self.person(caller, &owner);
            let reply = person.call(method.clone(), &path, body.clone()).await;
            let is_refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
            assert!(
                !is_refused.contains(&reply.status) && !reply.status.is_server_error(),
                "{caller:?} {route:?}: {} {}",
                reply.status,
                reply.data
            );
        }
    }
}

/// A body that the route takes from those who may.
fn body(route: &Route, stranger: &Person) -> Option<Value> {
    let body = match (route.method.as_str(), route.path.as_str()) {
        ("GET", _) => return None,
        (_, "/api/auth/users/{id}/role") => json!({ "role": "ROLE_USER" }),
        ("PATCH", "/api/users/{id}") => json!({ "info": "text" }),
        ("PUT", "/api/users/{id}") => json!({ "firstName": "A", "lastName": "B" }),
        (_, "/api/users/{id}/password") => {
            json!({ "currentPassword": PASSWORD, "newPassword": "another fine password" })
        }
        ("PATCH", "/api/chat/rooms/{id}") | ("POST", "/api/chat/rooms") => json!({ "name": "x" }),
        ("POST", "/api/chat/rooms/{id}/members") => json!({ "userId": stranger.id }),
        (_, "/api/chat/rooms/{id}/members/{user}") => json!({ "role": "admin" }),
        ("POST", "/api/chat/rooms/{id}/messages")
        | ("PATCH", "/api/chat/rooms/{id}/messages/{message}") => json!({ "content": "other" }),
        (_, "/api/chat/rooms/{id}/read") => json!({ "seq": 1 }),
        _ => json!({}),
    };
    Some(body)
}

async fn try_all(prefixes: &[&str]) {
    let system = System::without_limits().await;
    let scene = Scene::new(&system).await;
    let routes = table().into_iter().enumerate();
    let mut tried = 0;
    for (number, (route, who)) in routes {
        if prefixes.iter().any(|prefix| route.path.starts_with(prefix)) {
            scene.try_as_everybody(&route, &who, number).await;
            tried += 1;
        }
    }
    assert!(tried > 8, "{tried}");
}

#[test]
fn every_route_has_a_rule_and_every_rule_a_route() {
    let ruled: BTreeSet<_> = table().into_iter().map(|(route, _)| route).collect();
    assert_eq!(ruled, routed());
    assert_eq!(ruled.len(), table().len(), "a route has two rules");
}

#[tokio::test]
async fn accounts_are_changed_by_those_alone_who_may() {
    try_all(&["/api/auth", "/api/users", "/api/batch"]).await;
}

#[tokio::test]
async fn files_and_bookmarks_are_seen_by_those_alone_who_may() {
    try_all(&["/api/store"]).await;
}

#[tokio::test]
async fn rooms_are_changed_by_those_alone_who_may() {
    try_all(&["/api/chat"]).await;
}
