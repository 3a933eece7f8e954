//! `GET /api/chat/search`: messages by what they say, in one's own rooms only.

use std::fmt::Write as _;

use axum::http::Method;
use doran_contract::RoomId;
use doran_testkit::Reply;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::world::{Person, World};

struct Told {
    world: World,
    kim: Person,
    lee: Person,
    room: RoomId,
}

/// A room of two, and one where lee is alone.
async fn told(contents: &[&str]) -> Told {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[&lee]).await;
    let other = world.room(&lee, &[]).await;
    world.say(&lee, other, "비밀 회의록").await;
    for content in contents {
        world.say(&kim, room, content).await;
    }
    Told {
        world,
        kim,
        lee,
        room,
    }
}

impl Told {
    async fn search(&self, person: &Person, q: &str, more: &str) -> Reply {
        let q = q.bytes().fold(String::new(), |mut escaped, byte| {
            write!(escaped, "%{byte:02X}").unwrap();
            escaped
        });
        let (said, rooms) = (
            self.world.head("MESSAGE").await,
            self.world.head("CHATROOM").await,
        );
        let call = self
            .world
            .get(person, &format!("/api/chat/search?q={q}{more}"));
        let position = format!("MESSAGE:{said},CHATROOM:{rooms}");
        call.header("doran-min-position", &position).send().await
    }

    async fn contents(&self, person: &Person, q: &str, more: &str) -> Vec<String> {
        let reply = self.search(person, q, more).await;
        contents(reply.data())
    }
}

fn contents(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let content = |item: &Value| item["message"]["content"].as_str().unwrap().to_owned();
    items.iter().map(content).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_with_its_room_and_the_places_of_the_words() {
    let told = told(&["주간회의록 공유합니다", "회의는 내일", "API 서버 배포"]).await;
    let reply = told.search(&told.kim, "회의록", "").await;
    assert_eq!(contents(reply.data()), ["주간회의록 공유합니다"]);
    let hit = &reply.data()["items"][0];
    assert_eq!(hit["roomName"], "회의");
    assert_eq!(hit["highlights"], json!([{ "start": 2, "end": 5 }]));
    assert_eq!(reply.data()["nextCursor"], Value::Null);
    let newest_first = told.contents(&told.kim, "회의", "").await;
    assert_eq!(newest_first, ["회의는 내일", "주간회의록 공유합니다"]);
    let mixed = told.contents(&told.kim, "서버 api", "").await;
    assert_eq!(mixed, ["API 서버 배포"]);
    assert_eq!(told.contents(&told.kim, "없는말", "").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_rooms_that_one_is_in_are_searched() {
    let told = told(&["회의록"]).await;
    let both = told.contents(&told.lee, "회의록", "").await;
    assert_eq!(both, ["회의록", "비밀 회의록"]);
    let one = format!("&roomId={}", told.room);
    assert_eq!(told.contents(&told.lee, "회의록", &one).await, ["회의록"]);
    assert_eq!(told.contents(&told.kim, "회의록", "").await, ["회의록"]);

    let member = format!("/api/chat/rooms/{}/members/{}", told.room, told.lee.id);
    let removed = told.world.call(Method::DELETE, &told.kim, &member);
    assert_eq!(removed.send().await.status, 200);
    assert_eq!(
        told.contents(&told.lee, "회의록", "").await,
        ["비밀 회의록"]
    );
    let refused = told.search(&told.lee, "회의록", &one).await;
    assert_eq!(refused.refusal(), (403, "NOT_MEMBER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_filters_narrow() {
    let told = told(&["하나 점심", "둘 점심 점심", "셋 점심"]).await;
    told.world.say(&told.lee, told.room, "넷 점심").await;
    let first = told.search(&told.kim, "점심", "&limit=3").await;
    assert_eq!(
        contents(first.data()),
        ["넷 점심", "셋 점심", "둘 점심 점심"]
    );
    let cursor = first.data()["nextCursor"].as_str().unwrap();
    let second = told
        .search(&told.kim, "점심", &format!("&limit=3&cursor={cursor}"))
        .await;
    assert_eq!(contents(second.data()), ["하나 점심"]);
    assert_eq!(second.data()["nextCursor"], Value::Null);

    let ranked = told.contents(&told.kim, "점심", "&sort=rank&limit=2").await;
    assert_eq!(ranked, ["둘 점심 점심", "넷 점심"]);
    let rest = told.contents(&told.kim, "점심", "&sort=rank&limit=2&cursor=2");
    assert_eq!(rest.await, ["셋 점심", "하나 점심"]);

    let from = format!("&from={}", told.lee.id);
    assert_eq!(told.contents(&told.kim, "점심", &from).await, ["넷 점심"]);
    let before = first.data()["items"][1]["message"]["seq"].clone();
    let before = format!("&before={before}&limit=1");
    assert_eq!(
        told.contents(&told.kim, "점심", &before).await,
        ["둘 점심 점심"]
    );
    assert_eq!(
        told.contents(&told.kim, "점심", "&hasFile=true").await,
        [""; 0]
    );
}

/// Puts a message into the tables again and again, as if it had been said that often: far quicker.
async fn multiply(told: &Told, id: &Value, times: i32) {
    for (table, key) in [("messages", "id"), ("message_tokens", "message_id")] {
        let sql = format!(
            "insert into {table}
             select (jsonb_populate_record(
                 t, jsonb_build_object('{key}', md5(n::text)::uuid, 'seq', t.seq + n)
             )).*
             from {table} t
             cross join generate_series(1, $2) n
             where t.{key} = $1::uuid"
        );
        let multiplied = sqlx::query(AssertSqlSafe(sql))
            .bind(id.as_str())
            .bind(times);
        multiplied.execute(&told.world.pool()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_found_behind_more_messages_than_one_search_opens() {
    let told = told(&[]).await;
    let keyring = &told.world.platform.keyring;
    let key = keyring.key(told.kim.id).await.unwrap().unwrap();
    let files = ["영수증.txt"];
    let arrived = told
        .world
        .arrive(&key, &told.kim, told.room, "점심 영수증", &files);
    arrived.await;
    let said = told.world.say(&told.kim, told.room, "점심").await;
    assert_eq!(told.contents(&told.lee, "점심", "").await.len(), 2);
    multiply(&told, &said.data()["id"], 5_001).await;
    let with_file = told.search(&told.lee, "점심", "&hasFile=true").await;
    assert_eq!(contents(with_file.data()), ["점심 영수증"]);
    assert_eq!(with_file.data()["nextCursor"], Value::Null);
    let without = told.contents(&told.lee, "점심", "&hasFile=false&limit=2");
    assert_eq!(without.await, ["점심"; 2]);
    let other = told.contents(&told.lee, "영수증", "&hasFile=false");
    assert_eq!(other.await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_searched_for_is_refused() {
    let told = told(&[]).await;
    for (q, more, field) in [
        ("", "", "q"),
        ("?!", "", "q"),
        ("가", "&limit=101", "limit"),
        (&"가".repeat(101), "", "q"),
    ] {
        let reply = told.search(&told.kim, q, more).await;
        assert_eq!((reply.status, reply.fields()), (422, vec![field]), "{q}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_are_nowhere_in_the_tables_and_the_erased_are_found_no_more() {
    let told = told(&["회의록"]).await;
    told.search(&told.kim, "회의록", "").await;
    let stored: String = sqlx::query_scalar(
        "select string_agg(t::text, ' ') || (select string_agg(m::text, ' ') from messages m)
         from message_tokens t",
    )
    .fetch_one(&told.world.pool())
    .await
    .unwrap();
    assert!(!stored.contains("회의"), "{stored}");
    let keyring = &told.world.platform.keyring;
    keyring.destroy(told.kim.id).await.unwrap();
    assert_eq!(
        told.contents(&told.lee, "회의록", "").await,
        ["비밀 회의록"]
    );
}
