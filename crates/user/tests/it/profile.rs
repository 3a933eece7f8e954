//! `PATCH` and `PUT /api/users/{id}`, and the settings.

use axum::http::Method;
use doran_contract::UserId;
use doran_testkit::Reply;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, registration, until};

async fn change(world: &World, method: Method, (id, token): (UserId, &str), body: &Value) -> Reply {
    let call = world.api.call(method, &format!("/api/users/{id}"));
    call.bearer(token).json(body).send().await
}

async fn read(world: &World, id: UserId, token: &str, after: &Reply) -> Value {
    let call = world.api.get(&format!("/api/users/{id}")).bearer(token);
    let call = call.header("doran-min-position", after.header("doran-position"));
    let reply = call.send().await;
    assert_eq!(reply.header("etag"), after.header("etag"));
    reply.data().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_merges_and_a_put_replaces() {
    let world = World::start().await;
    let (id, token) = world.person("kim@example.com", ("김", "민수")).await;
    let kim = (id, token.as_str());
    let patch = json!({ "firstName": "철수", "info": "안녕", "picture": "p" });
    let patched = change(&world, Method::PATCH, kim, &patch).await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    let user = patched.data();
    assert_eq!(user["name"], "김철수");
    assert_eq!(user["lastName"], "김");
    assert_eq!(read(&world, id, &token, &patched).await, *user);

    let patch = json!({ "info": null });
    let patched = change(&world, Method::PATCH, kim, &patch).await;
    assert_eq!(patched.data()["info"], Value::Null);
    assert_eq!(patched.data()["picture"], "p");
    let again = change(&world, Method::PATCH, kim, &patch).await;
    assert_eq!(again.header("etag"), patched.header("etag"));

    let whole = json!({ "firstName": "Ann", "lastName": "Lee" });
    let replaced = change(&world, Method::PUT, kim, &whole).await;
    let user = replaced.data();
    assert_eq!(
        (&user["name"], &user["picture"]),
        (&json!("Ann Lee"), &Value::Null)
    );
    assert_eq!(user["email"], "kim@example.com");
    let missing = change(&world, Method::PUT, kim, &json!({ "firstName": "Ann" })).await;
    assert_eq!((missing.status, missing.fields()), (422, vec!["lastName"]));

    // Found under the name of today, and no other.
    let found = async |q: &str| {
        let call = world.api.get(&format!("/api/users/search?q={q}"));
        let call = call.header("doran-min-position", replaced.header("doran-position"));
        let reply = call.bearer(&token).send().await;
        reply.data()["items"].as_array().unwrap().len()
    };
    assert_eq!((found("lee").await, found("ㄱㅊㅅ").await), (1, 0));
    for message in world.raw("USER").await {
        assert!(
            !message.contains("철수") && !message.contains("Ann"),
            "{message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_valid_is_named_and_changes_nothing() {
    let world = World::start().await;
    let (id, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let long = "x".repeat(101);
    for (body, field) in [
        (json!({ "email": "nonsense" }), "email"),
        (json!({ "firstName": " " }), "firstName"),
        (json!({ "firstName": null }), "firstName"),
        (json!({ "lastName": long }), "lastName"),
        (json!({ "name": "a\u{7}" }), "name"),
        (json!({ "info": long }), "info"),
        (json!({ "picture": 7 }), "picture"),
    ] {
        let reply = change(&world, Method::PATCH, (id, &token), &body).await;
        assert_eq!((reply.status, reply.fields()), (422, vec![field]), "{body}");
    }
    assert_eq!(world.raw("USER").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_person_and_administrators_change_a_profile() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let (kim, kim_token) = world.person("kim@example.com", ("Kim", "A")).await;
    let (_, lee_token) = world.person("lee@example.com", ("Lee", "B")).await;
    let body = json!({ "info": "hi" });
    let refused = change(&world, Method::PATCH, (kim, &lee_token), &body).await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
    let by_admin = change(&world, Method::PATCH, (kim, &admin), &body).await;
    assert_eq!(by_admin.data()["info"], "hi");
    let stale = world.api.call(Method::PATCH, &format!("/api/users/{kim}"));
    let stale = stale.bearer(&kim_token).header("if-match", "\"1\"");
    let stale = stale.json(&json!({ "info": "ho" })).send().await;
    assert_eq!(stale.refusal(), (412, "PRECONDITION_FAILED"));
    let nobody = "00000000-0000-0000-0000-000000000001".parse().unwrap();
    let reply = change(&world, Method::PATCH, (nobody, &admin), &body).await;
    assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_time_all_count() {
    let world = World::start().await;
    let (id, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let bodies = [
        json!({ "info": "i" }),
        json!({ "picture": "p" }),
        json!({ "name": "n" }),
    ];
    let calls = bodies
        .iter()
        .map(|body| change(&world, Method::PATCH, (id, &token), body));
    for reply in join_all(calls).await {
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let last = change(&world, Method::PATCH, (id, &token), &json!({})).await;
    let user = last.data();
    assert_eq!(
        (&user["info"], &user["picture"], &user["name"]),
        (&json!("i"), &json!("p"), &json!("n"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_moves_in_one_piece() {
    let world = World::start().await;
    let (id, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let (lee, lee_token) = world.person("lee@example.com", ("Lee", "B")).await;
    let taken = json!({ "email": "LEE@example.com" });
    let refused = change(&world, Method::PATCH, (id, &token), &taken).await;
    assert_eq!(refused.refusal(), (409, "EMAIL_TAKEN"));

    let call = world.api.call(Method::PATCH, &format!("/api/users/{id}"));
    let call = call.bearer(&token).header("idempotency-key", "move");
    let call = call.json(&json!({ "email": "new@example.com", "info": "moved" }));
    let moved = call.send().await;
    assert_eq!(moved.data()["email"], "new@example.com");
    assert_eq!(moved.data()["info"], "moved");
    let by_email = async |email: &str, token: &str| {
        let call = world.api.get(&format!("/api/users/email/{email}"));
        let call = call.header("doran-min-position", moved.header("doran-position"));
        call.bearer(token).send().await
    };
    assert_eq!(
        by_email("new@example.com", &token).await.data()["id"],
        json!(id)
    );
    assert_eq!(by_email("kim@example.com", &token).await.status, 403);

    // The old one is anybody's, and the way back is open as long as nobody took it.
    let other = change(
        &world,
        Method::PATCH,
        (lee, &lee_token),
        &json!({ "email": "kim@example.com" }),
    )
    .await;
    assert_eq!(other.status, 200, "{}", other.body);
    let back = json!({ "email": "kim@example.com" });
    let refused = change(&world, Method::PATCH, (id, &token), &back).await;
    assert_eq!(refused.refusal(), (409, "EMAIL_TAKEN"));
    let reply = world
        .api
        .post("/api/users", &registration("lee@example.com", ("Lee", "C")))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_any_object_of_the_person() {
    let world = World::start().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    let (_, stranger) = world.person("lee@example.com", ("Lee", "B")).await;
    let path = format!("/api/users/{kim}/settings");
    let get = async |token: &str| world.api.get(&path).bearer(token).send().await;
    let put = async |body: &Value| {
        let call = world.api.call(Method::PUT, &path).bearer(&token);
        call.json(body).send().await
    };
    assert_eq!(get(&token).await.data(), &json!({}));
    let settings = json!({ "theme": "dark", "coachCheck": true, "deep": { "planted": [1, null] } });
    let reply = put(&settings).await;
    assert_eq!((reply.status, reply.data()), (200, &settings));
    assert_eq!(get(&token).await.data(), &settings);
    assert_eq!(put(&settings).await.header("etag"), reply.header("etag"));
    assert_eq!(
        read(&world, kim, &token, &reply).await["coachCheck"],
        json!(true)
    );
    assert_eq!(get(&stranger).await.refusal(), (403, "FORBIDDEN"));
    for wrong in [json!([1]), json!("text"), json!(null)] {
        assert_eq!(put(&wrong).await.status, 422, "{wrong}");
    }
    let large = json!({ "a": "x".repeat(16 * 1024) });
    assert_eq!(put(&large).await.refusal(), (413, "TOO_LARGE"));
    let emptied = put(&json!({})).await;
    until(async || read(&world, kim, &token, &emptied).await["coachCheck"] == json!(false)).await;
    for message in world.raw("USER").await {
        assert!(!message.contains("planted"), "{message}");
    }
}
