//! The bytes of files in an S3-compatible store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::StatusCode,
    routing::put,
};
use tokio::net::TcpListener;

use crate::world::{World, path, png, until};

type Objects = Arc<Mutex<HashMap<String, Bytes>>>;
type Signature = Query<HashMap<String, String>>;

/// What there is of S3: objects that are put, got and deleted by those who signed for it.
async fn stand_in() -> (String, Objects) {
    let objects = Objects::default();
    let routes = Router::new()
        .route(
            "/bucket/{*name}",
            put(put_object).get(get_object).delete(delete_object),
        )
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&objects));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    doran_platform::Lifecycle::default().spawn(async move {
        axum::serve(listener, routes).await.unwrap();
    });
    (endpoint, objects)
}

fn is_signed(signature: &Signature) -> bool {
    let credential = signature.get("X-Amz-Credential");
    credential.is_some_and(|credential| credential.starts_with("key/"))
        && signature
            .get("X-Amz-Signature")
            .is_some_and(|hash| hash.len() == 64)
}

async fn put_object(
    State(objects): State<Objects>,
    Path(name): Path<String>,
    signature: Signature,
    body: Bytes,
) -> StatusCode {
    if !is_signed(&signature) {
        return StatusCode::FORBIDDEN;
    }
    objects.lock().unwrap().insert(name, body);
    StatusCode::OK
}

async fn get_object(
    State(objects): State<Objects>,
    Path(name): Path<String>,
    signature: Signature,
) -> Result<Bytes, StatusCode> {
    if !is_signed(&signature) {
        return Err(StatusCode::FORBIDDEN);
    }
    let object = objects.lock().unwrap().get(&name).cloned();
    object.ok_or(StatusCode::NOT_FOUND)
}

async fn delete_object(
    State(objects): State<Objects>,
    Path(name): Path<String>,
    signature: Signature,
) -> StatusCode {
    if !is_signed(&signature) {
        return StatusCode::FORBIDDEN;
    }
    objects.lock().unwrap().remove(&name);
    StatusCode::NO_CONTENT
}

#[tokio::test(flavor = "multi_thread")]
async fn files_lie_sealed_in_the_bucket_and_come_back_in_ranges() {
    let (endpoint, objects) = stand_in().await;
    let endpoint = format!("--s3-endpoint={endpoint}");
    let world = World::with(&[
        &endpoint,
        "--s3-bucket=bucket",
        "--s3-access-key=key",
        "--s3-secret-key=secret",
    ])
    .await;
    let kim = world.person("kim").await;
    let text: Vec<u8> = b"planted text "
        .iter()
        .copied()
        .cycle()
        .take(1_500_000)
        .collect();
    let file = world.uploaded(kim, "a.txt", &text).await;
    let picture = world.uploaded(kim, "b.png", &png(400, 400)).await;
    assert_eq!(objects.lock().unwrap().len(), 4);
    assert_eq!(world.pieces().await, 0);
    for object in objects.lock().unwrap().values() {
        assert!(!object.windows(7).any(|window| window == b"planted"));
    }
    let got = world.fetch(kim, &path(file), &[]).await;
    assert!(got.body == text);
    let range = [("range", "bytes=1048570-1048589")];
    let part = world.fetch(kim, &path(file), &range).await;
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, &text[1_048_570..1_048_590])
    );
    let thumbnail = format!("{}/thumbnail", path(picture));
    assert_eq!(world.fetch(kim, &thumbnail, &[]).await.status, 200);
    for file in [file, picture] {
        assert_eq!(world.delete(kim, &path(file)).send().await.status, 200);
    }
    until(async || objects.lock().unwrap().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_an_honest_503() {
    let world = World::with(&[
        "--s3-endpoint=http://127.0.0.1:9",
        "--s3-bucket=bucket",
        "--s3-access-key=key",
        "--s3-secret-key=secret",
    ])
    .await;
    let kim = world.person("kim").await;
    let reply = world.upload(kim, &[("a.txt", "", b"text")]).send().await;
    assert_eq!(reply.refusal(), (503, "UNAVAILABLE"));
    assert_eq!(world.count("STORE").await, 0);
}
