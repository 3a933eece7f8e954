//! Rotating the key that signs access tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use doran_platform::{
    Clock,
    key_rotation::{KeyFiles, Place, RotationError},
};
use serde_json::Value;

use crate::world::{EMAIL, World, tokens, until};

async fn published(world: &World) -> Vec<String> {
    let reply = world
        .api
        .get("/api/auth/.well-known/jwks.json")
        .send()
        .await;
    let keys = reply.body["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn signed_by(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap());
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_key_signs_and_nobody_is_logged_out() {
    let world = World::start().await;
    let kim = world.kim().await;
    let other = world.second().await;
    let files = KeyFiles::beside(&world.signing_key());
    let (js, now) = (&world.platform.js, Clock::system().now());
    let life = TimeDelta::minutes(6);

    let key_id = files.rotate(js, now, life).await.unwrap();
    assert_ne!(signed_by(&kim.access), key_id);
    until(async || signed_by(&world.log_in(EMAIL).await.access) == key_id).await;
    let renewed = tokens(&world.try_refresh(&kim.refresh).await);
    assert_eq!(signed_by(&renewed.access), key_id);
    // Old and new tokens are good, in this process and in another.
    for token in [&kim.access, &renewed.access] {
        assert_eq!(world.me(token).await.status, 200);
        let elsewhere = other.get("/api/auth/me").bearer(token).send().await;
        assert_eq!(elsewhere.status, 200);
    }
    let next = files.keys().unwrap();
    let next = next.iter().find(|(place, _)| *place == Place::Next);
    let next = next.unwrap().1.key_id().to_owned();
    let known = published(&world).await;
    assert_eq!(known.len(), 3, "{known:?}");
    assert!(known.contains(&next));

    let early = files.rotate(js, now, life).await;
    assert!(
        matches!(early, Err(RotationError::TooEarly(_))),
        "{early:?}"
    );
    let later = Clock::system().now() + TimeDelta::minutes(7);
    assert_eq!(files.rotate(js, later, life).await.unwrap(), next);
    // Who signed first is not trusted any more.
    until(async || world.me(&kim.access).await.status == 401).await;
    assert_eq!(world.me(&renewed.access).await.status, 200);
}
