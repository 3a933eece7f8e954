//! `GET /api/users/{id}/export`.

use std::io::{Cursor, Read};

use axum::{
    body::Body,
    http::{Method, Request, header::AUTHORIZATION},
};
use doran_contract::UserId;
use serde_json::{Value, json};
use tower::ServiceExt;
use zip::ZipArchive;

use crate::world::World;

async fn export(world: &World, path: &str, token: &str) -> ZipArchive<Cursor<Vec<u8>>> {
    let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let response = world.routes.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/zip");
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    ZipArchive::new(Cursor::new(bytes.unwrap().to_vec())).unwrap()
}

fn file(archive: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> Value {
    let mut text = String::new();
    let mut file = archive.by_name(name).unwrap();
    file.read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_everything_with_them_opened_and_nobody_elses() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let (kim, token) = world.person("kim@example.com", ("김", "민수")).await;
    let (lee, lee_token) = world.person("lee@example.com", ("Lee", "B")).await;
    let path = format!("/api/users/{kim}");
    for (method, path, body) in [
        (Method::PATCH, path.clone(), json!({ "info": "안녕" })),
        (
            Method::PUT,
            format!("{path}/settings"),
            json!({ "theme": "dark" }),
        ),
    ] {
        let reply = world
            .api
            .call(method, &path)
            .bearer(&token)
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let path = format!("{path}/export");
    for token in [&token, &admin] {
        let mut archive = export(&world, &path, token).await;
        let mut names: Vec<_> = archive
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "account-history.json",
                "account.json",
                "bookmarks.json",
                "files.json",
                "messages.json",
                "rooms.json",
                "sessions.json",
                "settings.json"
            ]
        );
        all_is_there(&mut archive, kim);
        let history = file(&mut archive, "account-history.json");
        assert!(!history.to_string().contains(&lee.to_string()));
    }
    let refused = world.api.get(&path).bearer(&lee_token).send().await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
}

fn all_is_there(archive: &mut ZipArchive<Cursor<Vec<u8>>>, kim: UserId) {
    let account = file(archive, "account.json");
    assert_eq!(
        (&account["id"], &account["info"]),
        (&json!(kim), &json!("안녕"))
    );
    assert_eq!(file(archive, "settings.json"), json!({ "theme": "dark" }));
    for empty in ["messages.json", "bookmarks.json", "files.json"] {
        assert_eq!(file(archive, empty), json!([]), "{empty}");
    }
    let history = file(archive, "account-history.json");
    let told: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            (
                event["type"].as_str().unwrap(),
                event["data"]["name"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("UserCreated", json!("김민수")),
            ("UserProfileChanged", json!("김민수")),
            ("UserSettingsChanged", Value::Null),
        ]
    );
    assert_eq!(history[2]["data"]["settings"], json!(r#"{"theme":"dark"}"#));
}
