//! Messages that people keep for themselves.

use axum::http::Method;
use doran_contract::{RoomId, UserId};
use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{Said, World, png};

const PATH: &str = "/api/store/bookmarks";

async fn save(world: &World, user: UserId, said: Said, note: Option<&str>) -> Reply {
    let body = json!({ "messageId": said.id, "roomId": said.room, "note": note });
    world.post(user, PATH, &body).send().await
}

/// Reads not earlier than what a command led to.
async fn list(world: &World, user: UserId, query: &str, after: &Reply) -> Value {
    let call = world.get(user, &format!("{PATH}{query}"));
    let call = call.header("doran-min-position", after.header("doran-position"));
    call.send().await.data().clone()
}

fn texts(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["message"]["content"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_kept_once_with_its_note_and_removed_again() {
    let mut world = World::start().await;
    let kim = world.person("kim").await;
    let lee = world.person("lee").await;
    let room = world.room(&[kim, lee]).await;
    let said = world.say(lee, room, "기억할 말").await;
    let saved = save(&world, kim, said, Some("나중에 planted-note")).await;
    assert_eq!(saved.status, 201, "{}", saved.body);
    let bookmark = saved.data().clone();
    let id = bookmark["id"].as_str().unwrap().to_owned();
    assert_eq!(saved.header("location"), format!("{PATH}/{id}"));
    assert_eq!(bookmark["note"], "나중에 planted-note");
    let message = &bookmark["message"];
    assert_eq!(
        (
            &message["id"],
            &message["content"],
            &message["senderId"],
            &message["deleted"]
        ),
        (
            &json!(said.id),
            &json!("기억할 말"),
            &json!(lee),
            &json!(false)
        )
    );
    let head = world.count("STORE").await;
    for note in [None, Some("나중에 planted-note")] {
        let again = save(&world, kim, said, note).await;
        assert_eq!((again.status, again.data()), (200, &bookmark));
    }
    assert_eq!(world.count("STORE").await, head);
    let page = list(&world, kim, "", &saved).await;
    assert_eq!(page, json!({ "items": [bookmark], "nextCursor": null }));
    let raw = world.raw("STORE").await;
    assert!(!raw.windows(12).any(|window| window == b"planted-note"));

    world.restart().await;
    let count = world.get(kim, &format!("{PATH}/count")).send().await;
    assert_eq!(count.data(), &json!({ "count": 1 }));
    let others = world.get(lee, PATH).send().await;
    assert_eq!(others.data()["items"], json!([]));
    let path = format!("{PATH}/{id}");
    let refused = world.delete(lee, &path).send().await;
    assert_eq!(refused.refusal(), (404, "NOT_FOUND"));
    let noted = save(&world, kim, said, Some("지금")).await;
    assert_eq!((noted.status, &noted.data()["note"]), (200, &json!("지금")));
    let items = &list(&world, kim, "", &noted).await["items"];
    assert_eq!(items, &json!([noted.data()]));
    let removed = world.delete(kim, &path).send().await;
    assert_eq!(removed.data(), &json!({ "removed": [id] }));
    assert_eq!(list(&world, kim, "", &removed).await["items"], json!([]));
    let twice = world.delete(kim, &path).send().await;
    assert_eq!(twice.refusal(), (404, "NOT_FOUND"));
    let back = save(&world, kim, said, None).await;
    assert_eq!((back.status, &back.data()["note"]), (201, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_cannot_read_cannot_be_kept() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let stranger = world.person("stranger").await;
    let room = world.room(&[kim]).await;
    let other_room = world.room(&[kim]).await;
    let said = world.say(kim, room, "text").await;
    let gone = world.say(kim, room, "gone").await;
    world.unsay(kim, gone).await;
    let elsewhere = Said {
        room: other_room,
        ..said
    };
    let made_up = Said {
        id: doran_contract::MessageId::new(kim.as_uuid()),
        ..said
    };
    let nowhere = Said {
        room: RoomId::new(kim.as_uuid()),
        ..said
    };
    for (user, said) in [
        (stranger, said),
        (kim, elsewhere),
        (kim, made_up),
        (kim, nowhere),
        (kim, gone),
    ] {
        let refused = save(&world, user, said, None).await;
        assert_eq!(refused.refusal(), (404, "NOT_FOUND"));
    }
    let long = "가".repeat(1001);
    let refused = save(&world, kim, said, Some(&long)).await;
    assert_eq!(refused.refusal(), (422, "VALIDATION_FAILED"));
    let missing = world.post(kim, PATH, &json!({ "roomId": room })).send();
    assert_eq!(missing.await.refusal(), (422, "VALIDATION_FAILED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_newest_first_and_whole_whatever_is_kept_meanwhile() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let bot = world.person("bot").await;
    let (first, second) = (world.room(&[kim, bot]).await, world.room(&[kim]).await);
    let mut last = None;
    for number in 0..7 {
        let room = if number % 2 == 0 { first } else { second };
        let sender = if number == 4 { bot } else { kim };
        let said = world.say(sender, room, &number.to_string()).await;
        last = Some(save(&world, kim, said, None).await);
    }
    let last = last.unwrap();
    let page = list(&world, kim, "?limit=3", &last).await;
    assert_eq!(texts(&page), ["6", "5", "4"]);
    let said = world.say(kim, first, "new").await;
    let last = save(&world, kim, said, None).await;
    let cursor = page["nextCursor"].as_str().unwrap();
    let page = list(&world, kim, &format!("?limit=3&cursor={cursor}"), &last).await;
    assert_eq!(texts(&page), ["3", "2", "1"]);
    let cursor = page["nextCursor"].as_str().unwrap();
    let page = list(&world, kim, &format!("?limit=3&cursor={cursor}"), &last).await;
    assert_eq!(
        (texts(&page), &page["nextCursor"]),
        (vec!["0"], &Value::Null)
    );

    let page = list(&world, kim, &format!("?roomId={second}"), &last).await;
    assert_eq!(texts(&page), ["5", "3", "1"]);
    let page = list(&world, kim, &format!("?botId={bot}"), &last).await;
    assert_eq!(texts(&page), ["4"]);
    for query in ["?cursor=nonsense", "?limit=0", "?limit=101", "?roomId=x"] {
        let refused = world.get(kim, &format!("{PATH}{query}")).send().await;
        assert_eq!(refused.status, 422, "{query}");
    }

    let all = list(&world, kim, "", &last).await;
    let ids: Vec<_> = all["items"].as_array().unwrap()[..3]
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    let call = world.call(Method::DELETE, kim, PATH).json(&json!(ids));
    let removed = call.send().await;
    assert_eq!(removed.data()["removed"].as_array().unwrap().len(), 3);
    let call = world.get(kim, &format!("{PATH}/count"));
    let call = call.header("doran-min-position", removed.header("doran-position"));
    assert_eq!(call.send().await.data(), &json!({ "count": 5 }));
    for (body, status) in [(json!(ids), 404), (json!([]), 422), (json!(["x"]), 422)] {
        let call = world.call(Method::DELETE, kim, PATH).json(&body);
        assert_eq!(call.send().await.status, status, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_message_shows_what_became_of_it_and_nothing_to_who_left() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let lee = world.person("lee").await;
    let room = world.room(&[kim, lee]).await;
    let file = world.uploaded(lee, "a.png", &png(8, 8)).await;
    let edited = world.send(lee, room, "before", &[file]).await;
    let deleted = world.say(lee, room, "regretted").await;
    save(&world, kim, edited, None).await;
    let last = save(&world, kim, deleted, None).await;
    world.edit(lee, edited, "after").await;
    world.unsay(lee, deleted).await;
    let shown = async || list(&world, kim, "", &last).await["items"].clone();
    crate::world::until(async || {
        let items = shown().await;
        items[0]["message"]["deleted"] == json!(true)
            && items[1]["message"]["content"] == json!("after")
    })
    .await;
    let items = shown().await;
    assert_eq!(items[0]["message"]["content"], Value::Null);
    assert!(items[1]["message"]["editedAt"].is_string());
    let attachment = &items[1]["message"]["attachments"][0];
    assert_eq!(
        (&attachment["fileId"], &attachment["name"]),
        (&json!(file), &json!("사진.png"))
    );

    world.remove_member(room, kim).await;
    crate::world::until(async || shown().await[1]["message"]["hidden"] == json!(true)).await;
    let items = shown().await;
    assert_eq!(items.as_array().unwrap().len(), 2);
    let text = items.to_string();
    for secret in ["after", "before", "사진"] {
        assert!(!text.contains(secret), "{text}");
    }
}
