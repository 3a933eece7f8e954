//! Uploading, and getting back what was uploaded.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{World, file_id, path, png};

const PART: usize = 1024 * 1024;

/// Bytes that no mix-up of parts leaves as they are.
fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| {
            index
                .wrapping_mul(31)
                .wrapping_add(index / PART * 7)
                .to_le_bytes()[0]
        })
        .collect()
}

fn zip(length: usize) -> Vec<u8> {
    let mut zip = bytes(length);
    zip[..4].copy_from_slice(b"PK\x03\x04");
    zip
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_back_with_its_size_its_thumbnail_and_its_name() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let picture = png(640, 480);
    let reply = world
        .upload(kim, &[("여름 휴가.png", "image/png", &picture)])
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let id = file_id(&reply);
    assert_eq!(reply.header("location"), path(id));
    assert!(reply.header("doran-position").starts_with("STORE:"));
    let mut item = reply.data()["items"][0].clone();
    assert!(item["createdAt"].take().is_string());
    assert_eq!(
        item,
        json!({
            "id": id, "name": "여름 휴가.png", "mediaType": "image/png", "size": picture.len(),
            "width": 640, "height": 480, "url": path(id), "createdAt": Value::Null,
            "thumbnailUrl": format!("{}/thumbnail", path(id)),
        })
    );

    let got = world.fetch(kim, &path(id), &[]).await;
    assert_eq!((got.status, &got.body), (200, &picture));
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("accept-ranges", "bytes"),
        ("content-length", &picture.len().to_string()),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    assert!(got.header("cache-control").starts_with("private"));
    assert_eq!(
        got.header("content-disposition"),
        "inline; filename=\"__ __.png\"; \
         filename*=UTF-8''%EC%97%AC%EB%A6%84%20%ED%9C%B4%EA%B0%80.png"
    );

    let thumbnail = world
        .fetch(kim, &format!("{}/thumbnail", path(id)), &[])
        .await;
    assert_eq!(thumbnail.status, 200);
    assert_eq!(thumbnail.header("content-type"), "image/jpeg");
    let small = image::load_from_memory(&thumbnail.body).unwrap();
    assert_eq!((small.width(), small.height()), (320, 240));
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_pieces_of_the_very_bytes_also_across_parts() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let whole = zip(2 * PART + 1000);
    let id = world.uploaded(kim, "a.zip", &whole).await;
    let get = async |headers: &[(&str, &str)]| world.fetch(kim, &path(id), headers).await;
    let all = get(&[]).await;
    assert_eq!((all.status, &all.body), (200, &whole));
    assert!(all.header("content-disposition").starts_with("attachment;"));
    let size = whole.len();
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 1),
        (
            format!("bytes={}-{}", PART - 2, PART + 1),
            PART - 2,
            PART + 2,
        ),
        (format!("bytes={}-", 2 * PART - 1), 2 * PART - 1, size),
        ("bytes=-1500".to_owned(), size - 1500, size),
        (format!("bytes={}-{}", PART, 2 * PART - 1), PART, 2 * PART),
        ("bytes=5-999999999".to_owned(), 5, size),
    ] {
        let part = get(&[("range", &range)]).await;
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == whole[from..to], "{range}");
        assert_eq!(
            part.header("content-range"),
            format!("bytes {from}-{}/{size}", to - 1)
        );
        assert_eq!(part.header("content-length"), (to - from).to_string());
    }
    let beyond = get(&[("range", &format!("bytes={size}-"))]).await;
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), format!("bytes */{size}"));

    let tag = all.header("etag").to_owned();
    let same = get(&[("range", "bytes=0-9"), ("if-range", &tag)]).await;
    assert_eq!((same.status, same.body.len()), (206, 10));
    let other = get(&[("range", "bytes=0-9"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status, other.body.len()), (200, size));
    let known = get(&[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = world.fetch_by(Method::HEAD, kim, &path(id), &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), size.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_come_at_once_and_a_retry_makes_no_second_ones() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let files: [(&str, &str, &[u8]); 2] = [
        ("a.txt", "text/plain", b"first"),
        ("b.txt", "text/plain", b"second"),
    ];
    let upload = async |files: &[(&str, &str, &[u8])]| {
        let call = world.upload(kim, files).header("idempotency-key", "one");
        call.send().await
    };
    let first = upload(&files).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = upload(&files).await;
    assert_eq!(again.data()["items"], first.data()["items"]);
    assert_eq!(world.count("STORE").await, 2);
    assert_eq!(world.pieces().await, 2);
    let other = upload(&[("a.txt", "text/plain", b"other")]).await;
    assert_eq!(other.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    for (index, text) in ["first", "second"].into_iter().enumerate() {
        let url = first.data()["items"][index]["url"].as_str().unwrap();
        let got = world.fetch(kim, url, &[]).await;
        assert_eq!(got.body, text.as_bytes());
        assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_is_sealed_wherever_it_lies_and_there_after_a_restart() {
    let mut world = World::start().await;
    let kim = world.person("kim").await;
    let text = "아무도 모르는 이야기 planted-in-a-file";
    let id = world
        .uploaded(kim, "planted-name.txt", text.as_bytes())
        .await;
    for stream in ["STORE", "OBJ_FILES", "KV_UPLOAD"] {
        let raw = world.raw(stream).await;
        for planted in ["planted-in-a-file", "planted-name"] {
            let found = raw.windows(planted.len()).any(|w| w == planted.as_bytes());
            assert!(!found, "{planted} in {stream}");
        }
    }
    world.restart().await;
    let got = world.fetch(kim, &path(id), &[]).await;
    assert_eq!((got.status, got.body.as_slice()), (200, text.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_removes_a_file_removes_its_bytes() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let id = world.uploaded(kim, "a.png", &png(20, 20)).await;
    assert_eq!(world.pieces().await, 2);
    let lee = world.person("lee").await;
    let refused = world.delete(lee, &path(id)).send().await;
    assert_eq!(refused.refusal(), (404, "NOT_FOUND"));
    let removed = world.delete(kim, &path(id)).send().await;
    assert_eq!(removed.data(), &json!({ "id": id, "deleted": true }));
    let thumbnail = format!("{}/thumbnail", path(id));
    for path in [&path(id), &thumbnail] {
        assert_eq!(world.fetch(kim, path, &[]).await.status, 404);
    }
    crate::world::until(async || world.pieces().await == 0).await;
    let again = world.delete(kim, &path(id)).send().await;
    assert_eq!(again.refusal(), (404, "NOT_FOUND"));
}
