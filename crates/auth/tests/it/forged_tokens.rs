//! Access tokens that nobody here signed, or that are not what they should be.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_contract::{SessionId, UserId, user::Role};
use doran_platform::access_token::{Claims, Signer};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

use crate::world::World;

type Alteration = fn(&mut Value);

/// A valid token's claims, to be altered.
fn claims(world: &World, token: &str) -> Claims {
    world.platform.verifier.verify(token).unwrap()
}

fn header(world: &World) -> Header {
    let jwks = world.platform.verifier.jwks();
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".to_owned());
    header.kid = jwks.keys[0].common.key_id.clone();
    header
}

fn key(pem: &str) -> EncodingKey {
    EncodingKey::from_ed_pem(pem.as_bytes()).unwrap()
}

fn own_pem(world: &World) -> String {
    std::fs::read_to_string(world.signing_key()).unwrap()
}

fn other_pem() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    Signer::open_or_create(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn unsigned(header: &Value, claims: &Claims) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header.clone()), part(json!(claims)))
}

async fn assert_refused(world: &World, token: &str, what: &str) {
    let reply = world.me(token).await;
    assert_eq!(reply.refusal(), (401, "UNAUTHENTICATED"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_signed_by_hand_is_accepted() {
    let world = World::start().await;
    let claims = claims(&world, &world.kim().await.access);
    let token = jsonwebtoken::encode(&header(&world), &claims, &key(&own_pem(&world))).unwrap();
    assert_eq!(
        world.me(&token).await.status,
        200,
        "or the refusals below would prove nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_algorithm_type_or_key_is_refused() {
    let world = World::start().await;
    let given = world.kim().await;
    let claims = claims(&world, &given.access);
    let good = header(&world);
    let kid = good.kid.clone().unwrap();

    for alg in ["none", "None", "NONE"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        assert_refused(&world, &unsigned(&header, &claims), alg).await;
    }
    // The public key as the secret of an HMAC: the classic confusion.
    let jwk = world.platform.verifier.jwks().keys[0].clone();
    let public = serde_json::to_value(&jwk).unwrap()["x"]
        .as_str()
        .unwrap()
        .to_owned();
    let public = URL_SAFE_NO_PAD.decode(public).unwrap();
    let hmac = Header {
        alg: Algorithm::HS256,
        ..good.clone()
    };
    let token = jsonwebtoken::encode(&hmac, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert_refused(&world, &token, "HS256").await;

    let own = key(&own_pem(&world));
    for typ in [None, Some("JWT"), Some("AT+JWT "), Some("refresh")] {
        let header = Header {
            typ: typ.map(str::to_owned),
            ..good.clone()
        };
        let token = jsonwebtoken::encode(&header, &claims, &own).unwrap();
        assert_refused(&world, &token, &format!("typ {typ:?}")).await;
    }
    let other = key(&other_pem());
    let token = jsonwebtoken::encode(&good, &claims, &other).unwrap();
    assert_refused(&world, &token, "signed with another key").await;
    for kid in [None, Some("unknown".to_owned())] {
        let header = Header {
            kid,
            ..good.clone()
        };
        let token = jsonwebtoken::encode(&header, &claims, &own).unwrap();
        assert_refused(&world, &token, "kid").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_brings_its_own_key_is_refused() {
    let world = World::start().await;
    let claims = claims(&world, &world.kim().await.access);
    let good = header(&world);
    let other = key(&other_pem());
    let own = key(&own_pem(&world));
    let mut jwk = Jwk::from_encoding_key(&other, Algorithm::EdDSA).unwrap();
    jwk.common.key_id.clone_from(&good.kid);
    let address = Some("https://attacker.example/keys".to_owned());
    let brings = [
        Header {
            jwk: Some(jwk),
            ..good.clone()
        },
        Header {
            jku: address.clone(),
            ..good.clone()
        },
        Header {
            x5u: address,
            ..good.clone()
        },
    ];
    for header in brings {
        for (key, whose) in [(&other, "the attacker's"), (&own, "the right")] {
            let token = jsonwebtoken::encode(&header, &claims, key).unwrap();
            assert_refused(&world, &token, whose).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_other_claims_is_refused() {
    let world = World::start().await;
    let given = world.kim().await;
    let good = claims(&world, &given.access);
    let own = key(&own_pem(&world));
    let altered = |change: Alteration| {
        let mut claims = json!(good);
        change(&mut claims);
        jsonwebtoken::encode(&header(&world), &claims, &own).unwrap()
    };
    let cases: [(&str, Alteration); 6] = [
        ("iss", |claims| claims["iss"] = json!("somebody")),
        ("aud", |claims| claims["aud"] = json!("elsewhere")),
        ("sub", |claims| claims["sub"] = json!("nobody")),
        ("no exp", |claims| {
            drop(claims.as_object_mut().unwrap().remove("exp"));
        }),
        ("nbf", |claims| {
            claims["nbf"] = json!(claims["nbf"].as_i64().unwrap() + 3600);
        }),
        ("unknown person", |claims| {
            claims["sub"] = json!("00000000-0000-0000-0000-000000000001");
        }),
    ];
    for (what, change) in cases {
        assert_refused(&world, &altered(change), what).await;
    }
    let (head, rest) = given.access.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let admin = Claims {
        role: Role::Admin,
        ..good.clone()
    };
    let body = URL_SAFE_NO_PAD.encode(json!(admin).to_string());
    assert_refused(
        &world,
        &format!("{head}.{body}.{signature}"),
        "altered after signing",
    )
    .await;
    for nonsense in ["", "a", "a.b.c", "...", &"x".repeat(5000)] {
        assert_refused(&world, nonsense, nonsense).await;
    }
    let oversized = Signer::claims(
        world.clock.now(),
        300,
        (good.sub, good.sid, Role::User),
        good.jti,
    );
    let mut claims = json!(oversized);
    claims["padding"] = json!("x".repeat(4096));
    let token = jsonwebtoken::encode(&header(&world), &claims, &own).unwrap();
    assert_refused(&world, &token, "more than 4 KiB").await;
}

/// A token of any header and body text, signed by the right key.
fn signed(world: &World, header: &str, body: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(body)
    );
    let own = key(&own_pem(world));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &own, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rightly_signed_token_with_an_odd_header_is_refused() {
    let world = World::start().await;
    let body = json!(claims(&world, &world.kim().await.access)).to_string();
    let kid = header(&world).kid.unwrap();
    let good = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#);
    let reply = world.me(&signed(&world, &good, &body)).await;
    assert_eq!(reply.status, 200, "or the refusals below prove nothing");

    let odd = [
        format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"eddsa","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","alg":"none","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}","crit":["exp"],"exp":1}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}","crit":["b64"],"b64":false}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}","x5c":["MAo="]}}"#),
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":["a"]}"#.to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        String::new(),
    ];
    for header in odd {
        assert_refused(&world, &signed(&world, &header, &body), &header).await;
    }
    for kid in [
        "",
        ".",
        "*",
        ">",
        "../signing",
        "/dev/null",
        "$KV.JWKS.x",
        "x' or '1'='1",
        "a b",
        "\\u0000",
    ] {
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#);
        assert_refused(&world, &signed(&world, &header, &body), kid).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rightly_signed_token_with_an_odd_body_is_refused() {
    let world = World::start().await;
    let given = world.kim().await;
    let good = json!(claims(&world, &given.access));
    let head = json!(header(&world)).to_string();
    let refuse = async |body: &str, what: &str| {
        assert_refused(&world, &signed(&world, &head, body), what).await;
    };
    let required = [
        "iss", "aud", "sub", "sid", "role", "iat", "nbf", "exp", "jti",
    ];
    assert_eq!(good.as_object().unwrap().len(), required.len());
    for claim in required {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(claim);
        refuse(&without.to_string(), &format!("without {claim}")).await;
        let twice = good
            .to_string()
            .replacen('{', &format!("{{\"{claim}\":{},", good[claim]), 1);
        refuse(&twice, &format!("{claim} twice")).await;
        let mut other = good.clone();
        other[claim] = json!({ "not": "this" });
        refuse(&other.to_string(), &format!("{claim} of another type")).await;
    }
    let nested = json!(given.access).to_string();
    for body in ["", "null", "[]", "{}", "\u{feff}{}", &nested] {
        refuse(body, body).await;
    }
    refuse(&given.access, "a token inside a token").await;
    let mut far = good.clone();
    far["exp"] = json!(f64::MAX);
    refuse(&far.to_string(), "exp out of range").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_taken_apart_and_put_together_again_is_refused() {
    let world = World::start().await;
    let token = world.kim().await.access;
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (head, body) = message.split_once('.').unwrap();
    for altered in [
        format!("{message}."),
        message.to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}={}", ""),
        format!("{token}=="),
        format!("{head}. {body}.{signature}"),
        format!("{head}\t.{body}.{signature}"),
        format!("{body}.{head}.{signature}"),
        format!("{head}.{body}.{signature}.{signature}"),
        format!("{token},{token}"),
        format!("{token} {token}"),
        format!("Bearer {token}"),
        token.to_uppercase(),
    ] {
        assert_refused(&world, &altered, &altered).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_says_so_after_thirty_seconds_of_leeway() {
    let world = World::start().await;
    let given = world.kim().await;
    world.clock.advance(Duration::from_secs(330));
    assert_eq!(world.me(&given.access).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        world.me(&given.access).await.refusal(),
        (401, "TOKEN_EXPIRED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_in_a_token_makes_nobody_administrator() {
    let world = World::start().await;
    let kim: UserId = world.register("kim@example.com").await;
    let session = SessionId::new(world.platform.clock.new_id());
    let id = world.platform.clock.new_id();
    let claims = Signer::claims(world.clock.now(), 300, (kim, session, Role::Admin), id);
    let token = world.signer().sign(&claims).unwrap();
    let reply = world.api.get("/api/users").bearer(&token).send().await;
    assert_eq!(reply.refusal(), (403, "FORBIDDEN"));
}
