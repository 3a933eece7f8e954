//! What is left of somebody who was deleted.

use axum::http::Method;
use serde_json::json;

use crate::world::{World, path, until};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_leaves_neither_files_nor_bookmarks() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let lee = world.person("lee").await;
    let room = world.room(&[kim, lee]).await;
    let file = world.uploaded(kim, "a.txt", b"text").await;
    let said = world.send(kim, room, "x", &[file]).await;
    let theirs = world.uploaded(lee, "b.txt", b"other").await;
    let body = json!({ "messageId": said.id, "roomId": room });
    for user in [kim, lee] {
        let call = world.call(Method::POST, user, "/api/store/bookmarks");
        assert_eq!(call.json(&body).send().await.status, 201);
    }
    assert_eq!(world.fetch(lee, &path(file), &[]).await.status, 200);
    world.delete_person(kim).await;
    until(async || world.fetch(lee, &path(file), &[]).await.status == 404).await;
    until(async || world.pieces().await == 1).await;
    until(async || {
        let raw = world.raw("STORE").await;
        let removed = b"BookmarkRemoved";
        raw.windows(removed.len()).any(|window| window == removed)
    })
    .await;
    assert_eq!(world.fetch(lee, &path(theirs), &[]).await.body, b"other");
    let kept = world.get(lee, "/api/store/bookmarks").send().await;
    let message = &kept.data()["items"][0]["message"];
    assert_eq!(
        (&message["deleted"], &message["content"]),
        (&json!(true), &json!(null))
    );
}
