//! Uploads that nobody sends are collected.

use chrono::TimeDelta;

use crate::world::{World, path, png, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_no_message_has_goes_after_a_day_and_one_that_was_sent_stays() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&[kim]).await;
    let sent = world.uploaded(kim, "a.png", &png(8, 8)).await;
    world.send(kim, room, "x", &[sent]).await;
    let unsent = world.uploaded(kim, "b.txt", b"forgotten").await;
    let unsaid = world.uploaded(kim, "c.txt", b"regretted").await;
    let said = world.send(kim, room, "x", &[unsaid]).await;
    world.put_forward(TimeDelta::hours(23));
    let young = world.uploaded(kim, "d.txt", b"young").await;
    world.put_forward(TimeDelta::minutes(61));
    let status = async |file| world.fetch(kim, &path(file), &[]).await.status;
    until(async || status(unsent).await == 404).await;
    assert_eq!((status(sent).await, status(young).await), (200, 200));
    assert_eq!(status(unsaid).await, 200);
    world.unsay(kim, said).await;
    until(async || status(unsaid).await == 404).await;
    // The picture and its thumbnail, and the young one.
    until(async || world.pieces().await == 3).await;
    assert_eq!((status(sent).await, status(young).await), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_upload_left_behind_that_broke_off_goes_and_its_room_is_given_back() {
    let mut world = World::with(&["--file-quota-bytes=4000000"]).await;
    let kim = world.person("kim").await;
    let kept = world.uploaded(kim, "a.txt", b"kept").await;
    // As a process leaves it that was killed: noted and half written, and nothing else.
    let js = world.nats.jetstream().await;
    let uploads = js.get_key_value("UPLOAD").await.unwrap();
    let upload = uuid::Uuid::from_u128(9);
    let note = serde_json::json!([
        { "id": upload, "bytes": 3_500_000, "since": world.platform.clock.timestamp() }
    ]);
    let note = note.to_string().into_bytes();
    uploads.put(kim.to_string(), note.into()).await.unwrap();
    let files = js.get_object_store("FILES").await.unwrap();
    let blob = doran_eventstore::event_id(upload, 1);
    for number in 0..2 {
        let name = format!("{blob}/{number}");
        files.put(name.as_str(), &mut &b"half"[..]).await.unwrap();
    }
    world.restart().await;
    let big = vec![b'x'; 1_000_000];
    let full = world.upload(kim, &[("b.txt", "", &big)]).send().await;
    assert_eq!(full.refusal(), (413, "QUOTA_EXCEEDED"));
    assert_eq!(world.pieces().await, 3);
    world.put_forward(TimeDelta::minutes(61));
    until(async || world.pieces().await == 1).await;
    until(async || {
        world
            .upload(kim, &[("b.txt", "", &big)])
            .send()
            .await
            .status
            == 201
    })
    .await;
    assert_eq!(world.fetch(kim, &path(kept), &[]).await.body, b"kept");
}
