//! `POST /api/auth/login`, `GET me`, `validate` and the public keys.

use std::time::{Duration, Instant};

use doran_contract::user::{Role, UserStatus};
use serde_json::{Value, json};

use crate::world::{EMAIL, PASSWORD, World, tokens, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_gives_tokens_and_says_who_it_is() {
    let world = World::start().await;
    let id = world.register(EMAIL).await;
    let reply = world.try_log_in(" KIM@Example.com ", PASSWORD).await;
    let data = reply.data();
    let user = json!({
        "id": id, "email": EMAIL, "firstName": "민수", "lastName": "김", "name": "김민수",
        "picture": null, "info": null, "lastConnTime": "2026-03-01T09:00:00.000Z",
        "status": "ACTIVE", "role": "ROLE_USER", "coachCheck": false,
        "createdAt": "2026-03-01T09:00:00.000Z", "updatedAt": "2026-03-01T09:00:00.000Z",
    });
    assert_eq!(data["user"], user);
    assert_eq!(
        (&data["tokenType"], &data["expiresIn"]),
        (&json!("Bearer"), &json!(300))
    );
    assert!(reply.header("doran-position").starts_with("SESSION:"));
    let given = tokens(&reply);
    for path in ["/api/auth/me", "/api/auth/validate"] {
        let me = world.api.get(path).bearer(&given.access).send().await;
        assert_eq!(me.data(), &user, "{path}");
    }
    let claims = world.platform.verifier.verify(&given.access).unwrap();
    assert_eq!((claims.sub, claims.role), (id, Role::User));
    assert_eq!(claims.sid.to_string(), given.session);
    assert_eq!(claims.exp - claims.iat, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let world = World::start().await;
    world.register(EMAIL).await;
    let mut answers = Vec::new();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        // Longer than either account has to wait for the next try.
        world.clock.advance(Duration::from_mins(16));
        for (email, times) in [EMAIL, "nobody@example.com"].into_iter().zip(&mut times) {
            let asked = Instant::now();
            let mut reply = world.try_log_in(email, "a wrong password").await;
            times.push(asked.elapsed());
            assert_eq!(reply.refusal(), (401, "INVALID_CREDENTIALS"));
            reply.body["timestamp"].take();
            answers.push(reply.body);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // The fastest of each says what it costs on a machine that others use as well. Without
    // hashing it would be a small part of the other.
    let [wrong, unknown] = times.map(|times| times.into_iter().min().unwrap());
    assert!(
        unknown * 2 > wrong && wrong * 2 > unknown,
        "{wrong:?} {unknown:?}"
    );
    assert_eq!(world.session_events().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suspended_are_told_so_only_if_they_know_the_password() {
    let world = World::start().await;
    let given = world.kim().await;
    doran_user::admin::suspend(&world.platform, EMAIL)
        .await
        .unwrap();
    world.until_refused(&given.access).await;
    assert_eq!(
        world.try_log_in(EMAIL, PASSWORD).await.refusal(),
        (403, "ACCOUNT_INACTIVE")
    );
    let wrong = world.try_log_in(EMAIL, "a wrong password").await;
    assert_eq!(wrong.refusal(), (401, "INVALID_CREDENTIALS"));
    assert_eq!(
        world.try_refresh(&given.refresh).await.refusal(),
        (403, "ACCOUNT_INACTIVE")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_is_in_the_profile_and_the_next_token() {
    let world = World::start().await;
    let given = world.kim().await;
    doran_user::admin::promote(&world.platform, EMAIL)
        .await
        .unwrap();
    let is_admin = async || world.me(&given.access).await.data()["role"] == json!("ROLE_ADMIN");
    until(is_admin).await;
    let renewed = tokens(&world.try_refresh(&given.refresh).await);
    let claims = world.platform.verifier.verify(&renewed.access).unwrap();
    assert_eq!(claims.role, Role::Admin);
    let user = world.me(&renewed.access).await;
    assert_eq!(user.data()["status"], json!(UserStatus::Active));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_log_in_is_the_same_session_with_a_fresh_token() {
    let world = World::start().await;
    world.register(EMAIL).await;
    world.register("lee@example.com").await;
    let send = async |email: &str, device: &str| {
        let body = json!({ "email": email, "password": PASSWORD, "device": device });
        let call = world.api.post("/api/auth/login", &body);
        call.header("idempotency-key", "one").send().await
    };
    let first = tokens(&send(EMAIL, "phone").await);
    let again = tokens(&send(EMAIL, "phone").await);
    assert_eq!(again.session, first.session);
    for token in [&first.refresh, &again.refresh] {
        assert_eq!(world.try_refresh(token).await.status, 200);
    }
    let other = send(EMAIL, "laptop").await;
    assert_eq!(other.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    let lee = tokens(&send("lee@example.com", "phone").await);
    assert_ne!(lee.session, first.session);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_log_in_is_refused_with_its_fields() {
    let world = World::start().await;
    let send = |body: Value| {
        let call = world.api.post("/api/auth/login", &body);
        async move { call.send().await }
    };
    for (body, field) in [
        (json!({ "password": PASSWORD }), "email"),
        (json!({ "email": EMAIL }), "password"),
        (json!({ "email": EMAIL, "password": 7 }), "password"),
        (json!({ "email": EMAIL, "password": "" }), "password"),
        (
            json!({ "email": EMAIL, "password": PASSWORD, "device": "a\nb" }),
            "device",
        ),
    ] {
        let reply = send(body).await;
        assert_eq!((reply.status, reply.fields()), (422, vec![field]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_keys_stand_bare_and_hold_nothing_private() {
    let world = World::start().await;
    let reply = world
        .api
        .get("/api/auth/.well-known/jwks.json")
        .send()
        .await;
    let keys = reply.body["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let key = keys[0].as_object().unwrap();
    for (name, value) in [
        ("kty", "OKP"),
        ("crv", "Ed25519"),
        ("alg", "EdDSA"),
        ("use", "sig"),
    ] {
        assert_eq!(key[name], json!(value), "{name}");
    }
    assert!(key.contains_key("kid") && key.contains_key("x") && !key.contains_key("d"));
    let health = world.api.get("/api/auth/health").send().await;
    assert_eq!(health.data()["status"], json!("UP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_neither_tokens_nor_the_name_of_the_device() {
    let world = World::start().await;
    let first = world.kim().await;
    let second = tokens(&world.try_refresh(&first.refresh).await);
    let events = world.session_events().await;
    assert_eq!(events.len(), 2);
    for event in &events {
        for given in [&first, &second] {
            let (_, secret) = given.refresh.split_once('.').unwrap();
            assert!(!event.contains(secret) && !event.contains(&given.access));
        }
        for plain in ["phone", EMAIL, PASSWORD, "민수"] {
            assert!(!event.contains(plain), "{plain} in {event}");
        }
    }
}
