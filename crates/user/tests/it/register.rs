//! `POST /api/users` and `GET /api/users/check-email/{email}`.

use doran_contract::{
    UserId,
    id::{command_id, created_by},
};
use doran_platform::credentials::Credentials;
use futures_util::{StreamExt, future::join_all};
use serde_json::{Value, json};

use crate::world::{PASSWORD, World, id_of, registration};

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_answers_with_the_person_and_where_to_find_them() {
    let world = World::start().await;
    let body = json!({
        "email": "Minsu@Example.com", "password": PASSWORD, "firstName": "민수", "lastName": "김",
        "picture": "https://example.com/p.png", "info": "안녕",
    });
    let reply = world.api.post("/api/users", &body).send().await;
    assert_eq!(reply.status, 201);
    let user = reply.data().clone();
    let id = id_of(&user);
    let expected = json!({
        "id": id, "email": "Minsu@Example.com", "firstName": "민수", "lastName": "김",
        "name": "김민수", "picture": "https://example.com/p.png", "info": "안녕",
        "lastConnTime": null, "status": "ACTIVE", "role": "ROLE_USER", "coachCheck": false,
        "createdAt": "2026-03-01T09:00:00.000Z", "updatedAt": "2026-03-01T09:00:00.000Z",
    });
    assert_eq!(user, expected);
    assert_eq!(reply.header("location"), format!("/api/users/{id}"));
    let sequence = reply.header("etag").trim_matches('"').to_owned();
    assert_eq!(reply.header("doran-position"), format!("USER:{sequence}"));

    let read = world.api.get(&format!("/api/users/{id}"));
    let read = read.bearer(&world.token(id));
    let read = read.header("doran-min-position", reply.header("doran-position"));
    let read = read.send().await;
    assert_eq!(read.data(), &expected);
    assert_eq!(read.header("etag"), reply.header("etag"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_who_want_one_address_at_once_one_gets_it() {
    let world = World::start().await;
    let attempts = (0..30).map(|attempt| {
        let body = registration("same@example.com", ("Kim", &format!("n{attempt}")));
        world.api.post("/api/users", &body).send()
    });
    let replies = join_all(attempts).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    assert_eq!((won.len(), lost.len()), (1, 29));
    for reply in lost {
        assert_eq!(reply.refusal(), (409, "EMAIL_TAKEN"));
    }
    // What the losers had prepared is gone again.
    for bucket in ["CREDENTIAL", "DATA_KEY"] {
        let js = world.nats.jetstream().await;
        let keys = js
            .get_key_value(bucket)
            .await
            .unwrap()
            .keys()
            .await
            .unwrap();
        let kept = keys.count().await;
        assert_eq!(kept, 1, "{bucket}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_same_however_it_is_typed() {
    let world = World::start().await;
    world.register("kim@example.com", ("Kim", "A")).await;
    let again = registration("KIM@Example.COM", ("Kim", "B"));
    let reply = world.api.post("/api/users", &again).send().await;
    assert_eq!(reply.refusal(), (409, "EMAIL_TAKEN"));
    let taken = async |email: &str| {
        let path = format!("/api/users/check-email/{email}");
        world.api.get(&path).send().await.data().clone()
    };
    assert_eq!(taken("Kim@example.com").await, json!(true));
    assert_eq!(taken("lee@example.com").await, json!(false));
    let reply = world
        .api
        .get("/api/users/check-email/nonsense")
        .send()
        .await;
    assert_eq!((reply.status, reply.fields()), (422, vec!["email"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_gets_the_first_answer_and_keeps_the_first_password() {
    let world = World::start().await;
    let body = registration("kim@example.com", ("Kim", "A"));
    let send = async |body: &Value| {
        let call = world.api.post("/api/users", body);
        call.header("idempotency-key", "one").send().await
    };
    let first = send(&body).await;
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key).await;
    let credentials = credentials.unwrap();
    let id = id_of(first.data());
    let kept = credentials.find(id).await.unwrap().unwrap();

    let retried = send(&body).await;
    assert_eq!(retried.status, 201);
    assert_eq!(retried.data(), first.data());
    assert_eq!(
        retried.header("doran-position"),
        first.header("doran-position")
    );

    for (field, value) in [("password", "another password"), ("firstName", "B")] {
        let mut other = body.clone();
        other[field] = value.into();
        assert_eq!(send(&other).await.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    }
    let still = credentials.find(id).await.unwrap().unwrap();
    assert_eq!(still.as_str(), kept.as_str());
    assert!(
        world
            .platform
            .passwords
            .verify(PASSWORD, Some(&still))
            .await
            .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_a_crash_before_the_event_goes_on_with_the_same_password_only() {
    let world = World::start().await;
    let command = command_id("anonymous", "POST /api/users", "one");
    let id = UserId::new(created_by(command));
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key).await;
    let credentials = credentials.unwrap();
    let left_behind = world.platform.passwords.hash(PASSWORD).await.unwrap();
    assert!(credentials.create(id, &left_behind).await.unwrap());
    let send = async |body: &Value| {
        let call = world.api.post("/api/users", body);
        call.header("idempotency-key", "one").send().await
    };
    let body = registration("kim@example.com", ("Kim", "A"));
    let mut other = body.clone();
    other["password"] = "another password".into();
    assert_eq!(send(&other).await.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(world.raw("USER").await, Vec::<String>::new());
    assert_eq!(id_of(send(&body).await.data()), id);
    let kept = credentials.find(id).await.unwrap().unwrap();
    assert_eq!(kept.as_str(), left_behind.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_registration_sent_many_times_at_once_makes_one_person() {
    let world = World::start().await;
    let body = registration("kim@example.com", ("Kim", "A"));
    let sends = (0..8).map(|_| {
        let call = world.api.post("/api/users", &body);
        call.header("idempotency-key", "one").send()
    });
    let replies = join_all(sends).await;
    let mut ids: Vec<_> = replies.iter().map(|reply| id_of(reply.data())).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let credentials = Credentials::open(&world.platform.js, &world.platform.master_key).await;
    let kept = credentials.unwrap().find(ids[0]).await.unwrap().unwrap();
    assert!(
        world
            .platform
            .passwords
            .verify(PASSWORD, Some(&kept))
            .await
            .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_named_and_nothing_is_written() {
    let world = World::start().await;
    let good = registration("kim@example.com", ("Kim", "A"));
    let cases: &[(&str, Value)] = &[
        ("email", json!("nonsense")),
        ("email", json!("a\u{0}b@example.com")),
        ("email", json!(format!("{}@example.com", "x".repeat(300)))),
        ("password", json!("1234567")),
        ("password", json!("x".repeat(101))),
        ("password", json!("with\ttabulator")),
        ("firstName", json!("")),
        ("firstName", json!("  ")),
        ("firstName", json!("a\nb")),
        ("lastName", json!("가".repeat(51))),
        ("lastName", json!(7)),
        ("name", json!("x".repeat(51))),
        ("info", json!("x".repeat(101))),
        ("info", json!("a\u{7}b")),
        ("picture", json!("a\rb")),
    ];
    for (field, value) in cases {
        let mut body = good.clone();
        body[*field] = value.clone();
        let reply = world.api.post("/api/users", &body).send().await;
        assert_eq!(
            reply.refusal(),
            (422, "VALIDATION_FAILED"),
            "{field} {value}"
        );
        let mut fields = reply.fields();
        fields.dedup();
        assert_eq!(fields, [*field], "{value}");
        assert!(!reply.body.to_string().contains("nonsense"));
    }
    for missing in ["email", "password", "firstName", "lastName"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(missing);
        let reply = world.api.post("/api/users", &body).send().await;
        assert_eq!((reply.status, reply.fields()), (422, vec![missing]));
    }
    let raw = |content_type: &str, body: &str| {
        let call = world.api.call(axum::http::Method::POST, "/api/users");
        call.raw(content_type, body).send()
    };
    assert_eq!(raw("application/json", "").await.status, 400);
    assert_eq!(raw("application/json", "{").await.status, 400);
    assert_eq!(raw("text/plain", "{}").await.status, 415);
    assert_eq!(world.raw("USER").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_the_key_stores_hold_no_plain_text() {
    let world = World::start().await;
    let body = json!({
        "email": "planted-address@example.com", "password": "planted-password",
        "firstName": "PlantedFirst", "lastName": "PlantedLast", "name": "심은이름",
        "picture": "https://example.com/planted-picture", "info": "planted-info",
    });
    let call = world.api.post("/api/users", &body);
    let id = id_of(call.header("idempotency-key", "k").send().await.data());
    doran_user::admin::suspend(&world.platform, "planted-address@example.com")
        .await
        .unwrap();
    let mut messages = world.raw("USER").await;
    assert_eq!(messages.len(), 3, "a claim and two events: {messages:#?}");
    assert!(
        messages
            .iter()
            .any(|message| message.contains(&id.to_string()))
    );
    for stream in ["KV_CREDENTIAL", "KV_DATA_KEY", "KV_SNAPSHOT", "UserCreated"] {
        messages.extend(world.raw(stream).await);
    }
    for message in &messages {
        for planted in ["planted", "심은이름", "argon2"] {
            let found = message.to_lowercase().contains(planted);
            assert!(!found, "{planted} in {message}");
        }
    }
}
