//! Files that are not what they say, and requests that are not what they should be.

use axum::{
    body::Body,
    http::{Request, header},
};
use futures_util::stream;
use tower::ServiceExt;

use crate::world::{World, form, path, png};

/// A PNG whose header says that it has fifteen thousand pixels a side.
fn bomb() -> Vec<u8> {
    let mut bomb = png(8, 8);
    bomb[16..20].copy_from_slice(&15_000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&15_000u32.to_be_bytes());
    let mut sum = u32::MAX;
    for byte in &bomb[12..29] {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
        }
    }
    bomb[29..33].copy_from_slice(&(!sum).to_be_bytes());
    bomb
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_refused_by_name_and_leaves_nothing() {
    let world = World::with(&["--max-file-bytes=100000"]).await;
    let kim = world.person("kim").await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let (bomb, big) = (bomb(), vec![b'x'; 100_001]);
    let exe = b"MZ\x90\x00\x03\x00\x00\x00";
    let attacks: [(&str, &str, &[u8], u16, &str); 14] = [
        ("a.png", "image/png", exe, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a.exe", "image/png", exe, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a.svg", "image/svg+xml", svg, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a.png", "image/png", svg, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a.png", "image/svg+xml", svg, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a.html", "text/html", b"<p>", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a.txt", "text/html", b"<p>", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            "../../etc/passwd",
            "",
            b"root",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("a.png", "image/png", &bomb, 413, "TOO_LARGE"),
        ("a.txt", "text/plain", &big, 413, "TOO_LARGE"),
        ("a.txt", "text/plain", b"", 422, "VALIDATION_FAILED"),
        ("a.png", "image/png", b"", 422, "VALIDATION_FAILED"),
        ("a\u{202e}gnp.txt", "", b"x", 422, "VALIDATION_FAILED"),
        (
            "a.png",
            "image/png",
            b"\x89PNG\r\n\x1a\n",
            422,
            "VALIDATION_FAILED",
        ),
    ];
    for (name, content_type, bytes, status, code) in attacks {
        let good: (&str, &str, &[u8]) = ("good.txt", "text/plain", b"good");
        let files = [good, (name, content_type, bytes)];
        let reply = world.upload(kim, &files).send().await;
        assert_eq!(reply.refusal(), (status, code), "{name} {content_type}");
    }
    assert_eq!(world.count("STORE").await, 0);
    assert_eq!(world.pieces().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_folders_is_its_last_part() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let reply = world
        .upload(kim, &[("../../../tmp/a.txt", "", b"x")])
        .send()
        .await;
    assert_eq!(reply.data()["items"][0]["name"], "a.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_form_with_files_is_refused() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let post = |content_type: &str, body: &[u8]| {
        let call = world.call(axum::http::Method::POST, kim, "/api/store/files");
        call.raw(content_type, body.to_vec())
    };
    let form_type = "multipart/form-data; boundary=XX";
    let whole = form(&[("a.txt", "", b"abc")]);
    let text = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX--\r\n";
    let many: Vec<(&str, &str, &[u8])> = vec![("a.txt", "", b"x"); 11];
    for (content_type, body, status) in [
        ("application/json", b"{}".to_vec(), 415),
        ("multipart/form-data", whole.clone(), 415),
        (form_type, Vec::new(), 400),
        (form_type, whole[..whole.len() - 12].to_vec(), 400),
        (form_type, b"nonsense".to_vec(), 400),
        (form_type, b"--XX--\r\n".to_vec(), 422),
        (form_type, text.to_vec(), 422),
        (form_type, form(&many), 422),
    ] {
        let reply = post(content_type, &body).send().await;
        assert_eq!(reply.status, status, "{content_type} {}", reply.body);
    }
    assert_eq!(world.count("STORE").await, 0);
    assert_eq!(world.pieces().await, 0);
    let anonymous = world
        .api
        .call(axum::http::Method::POST, "/api/store/files")
        .raw(form_type, whole);
    assert_eq!(anonymous.send().await.refusal(), (401, "UNAUTHENTICATED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_cut_off_where_a_file_may_end() {
    let world = World::with(&["--max-file-bytes=300000"]).await;
    let kim = world.person("kim").await;
    let head = form(&[("a.txt", "text/plain", b"")]);
    let head = head[..head.len() - b"\r\n--XX--\r\n".len()].to_vec();
    let pieces = std::iter::once(head).chain(std::iter::repeat_n(vec![b'x'; 100_000], 100));
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)));
    let request = Request::post("/api/store/files")
        .header(header::AUTHORIZATION, world.bearer(kim))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
        .body(body)
        .unwrap();
    let answer = world.routes.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(world.count("STORE").await, 0);
    assert_eq!(world.pieces().await, 0);
    // What is said to be too long is refused before anything of it is read.
    let path = "/api/store/files";
    let call = world.call(axum::http::Method::POST, kim, path);
    let call = call.header("content-length", "4000000");
    let call = call.raw("multipart/form-data; boundary=XX", Vec::new());
    assert_eq!(call.send().await.refusal(), (413, "TOO_LARGE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_before_the_first_file_may_be_little_and_not_much() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let post = async |before: usize| {
        let mut body = vec![b'a'; before];
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&form(&[("a.txt", "", b"abc")]));
        let pieces: Vec<_> = body.chunks(50_000).map(<[u8]>::to_vec).collect();
        let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
        let request = Request::post("/api/store/files")
            .header(header::AUTHORIZATION, world.bearer(kim))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .body(Body::from_stream(stream::iter(pieces)))
            .unwrap();
        world
            .routes
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status()
    };
    assert_eq!(post(1_000).await, 201);
    assert_eq!(post(2_000_000).await, 400);
    assert_eq!(world.count("STORE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_nothing_and_gives_its_room_back() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let whole = form(&[("a.txt", "text/plain", b"begun")]);
    let begun = whole[..whole.len() - b"\r\n--XX--\r\n".len()].to_vec();
    for _ in 0..17 {
        // As the connection's time-out ends the body of a sender who is silent for too long.
        let pieces = [Ok(begun.clone()), Err(std::io::Error::other("silent"))];
        let request = Request::post("/api/store/files")
            .header(header::AUTHORIZATION, world.bearer(kim))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .body(Body::from_stream(stream::iter(pieces)))
            .unwrap();
        let answer = world.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 400);
    }
    assert_eq!(world.count("STORE").await, 0);
    assert_eq!(world.pieces().await, 0);
    world.uploaded(kim, "a.txt", b"begun again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_does_not_tell_where_it_was_taken() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(40, 20);
    picture
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let mut jpeg = jpeg.into_inner();
    let exif = b"\xFF\xE1\x00\x1EExif\0\0GPS 37.5665N 126.9780";
    jpeg.splice(2..2, exif.iter().copied());
    let id = world.uploaded(kim, "a.jpg", &jpeg).await;
    let got = world.fetch(kim, &path(id), &[]).await;
    assert!(image::load_from_memory(&got.body).is_ok());
    for secret in [&b"GPS"[..], b"Exif"] {
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(holds(&jpeg) && !holds(&got.body));
    }
}
