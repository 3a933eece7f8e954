//! Finding and reading people.

use doran_testkit::Reply;
use serde_json::{Value, json};

use crate::world::World;

/// Asks with the position of `after`, so that nobody is missed.
async fn ask(world: &World, path: &str, token: &str, after: &Reply) -> Reply {
    let call = world.api.get(path).bearer(token);
    call.header("doran-min-position", after.header("doran-position"))
        .send()
        .await
}

fn names(reply: &Reply) -> Vec<&str> {
    let items = reply.data()["items"].as_array().unwrap();
    items
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_part_of_a_name_by_initials_and_by_their_whole_address() {
    let world = World::start().await;
    let (_, token) = world.person("minsu@example.com", ("김", "민수")).await;
    world.register("minji@example.com", ("이", "민지")).await;
    let last = world.register("alice@example.com", ("Kim", "Alice")).await;
    for (query, expected) in [
        ("%EB%AF%BC%EC%88%98", vec!["김민수"]),          // 민수
        ("%EB%AF%BC", vec!["이민지", "김민수"]),         // 민
        ("%E3%84%B1%E3%85%81%E3%85%85", vec!["김민수"]), // ㄱㅁㅅ
        ("%E3%85%87%E3%85%81", vec!["이민지"]),          // ㅇㅁ
        ("%E3%85%81", vec!["이민지", "김민수"]),         // ㅁ
        ("ALI", vec!["Alice Kim"]),
        ("kim%20alice", vec!["Alice Kim"]),
        ("MINJI@example.com", vec!["이민지"]),
        ("minji@example", vec![]),
        ("bob", vec![]),
    ] {
        let path = format!("/api/users/search?q={query}");
        let reply = ask(&world, &path, &token, &last).await;
        assert_eq!(names(&reply), expected, "{query}");
        assert_eq!(reply.data()["nextCursor"], Value::Null);
    }
    let reply = ask(&world, "/api/users/search?q=alice", &token, &last).await;
    let alice = reply.data()["items"][0].as_object().unwrap();
    for hidden in ["email", "status", "role"] {
        assert!(!alice.contains_key(hidden), "{hidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_newest_first_without_gap_or_repetition() {
    let world = World::start().await;
    let (_, token) = world.person("n0@example.com", ("Kim", "n0")).await;
    let mut last = None;
    for number in 1..7 {
        let email = format!("n{number}@example.com");
        last = Some(world.register(&email, ("Kim", &format!("n{number}"))).await);
    }
    let last = last.unwrap();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..4 {
        let path = format!("/api/users/search?q=kim&limit=2{cursor}");
        let reply = ask(&world, &path, &token, &last).await;
        seen.extend(names(&reply).into_iter().map(str::to_owned));
        match reply.data()["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..7)
        .rev()
        .map(|number| format!("n{number} Kim"))
        .collect();
    assert_eq!(seen, expected);
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=x"] {
        let path = format!("/api/users/search?q=kim&{bad}");
        let reply = world.api.get(&path).bearer(&token).send().await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec![bad.split('=').next().unwrap()])
        );
    }
    let blank = world
        .api
        .get("/api/users/search?q=%20")
        .bearer(&token)
        .send()
        .await;
    assert_eq!((blank.status, blank.fields()), (422, vec!["q"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_person_and_administrators_see_address_status_and_role() {
    let world = World::start().await;
    let (kim, kim_token) = world.person("kim@example.com", ("Kim", "A")).await;
    let (_, lee_token) = world.person("lee@example.com", ("Lee", "B")).await;
    let (_, admin_token) = world.admin().await;
    let last = world.register("last@example.com", ("Last", "Z")).await;
    let by_id = format!("/api/users/{kim}");
    for (token, sees_all) in [
        (&kim_token, true),
        (&lee_token, false),
        (&admin_token, true),
    ] {
        let reply = ask(&world, &by_id, token, &last).await;
        let user = reply.data().as_object().unwrap();
        assert_eq!(user["firstName"], json!("A"));
        for field in ["email", "status", "role"] {
            assert_eq!(user.contains_key(field), sees_all, "{field}");
        }
    }
    let by_email = "/api/users/email/Kim@example.com";
    assert_eq!(
        ask(&world, by_email, &kim_token, &last).await.data()["id"],
        json!(kim)
    );
    assert_eq!(
        ask(&world, by_email, &admin_token, &last).await.data()["id"],
        json!(kim)
    );
    let unknown = "/api/users/email/nobody@example.com";
    for path in [by_email, unknown] {
        let reply = ask(&world, path, &lee_token, &last).await;
        assert_eq!(reply.refusal(), (403, "FORBIDDEN"));
    }
    let reply = ask(&world, unknown, &admin_token, &last).await;
    assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nobody_is_shown_and_unknown_or_malformed_ids_are_told_apart() {
    let world = World::start().await;
    let (kim, token) = world.person("kim@example.com", ("Kim", "A")).await;
    for path in [
        format!("/api/users/{kim}"),
        "/api/users/search?q=kim".to_owned(),
        "/api/users/email/kim@example.com".to_owned(),
        "/api/users".to_owned(),
    ] {
        let reply = world.api.get(&path).send().await;
        assert_eq!(reply.refusal(), (401, "UNAUTHENTICATED"), "{path}");
    }
    let unknown = "/api/users/00000000-0000-0000-0000-000000000001";
    let reply = world.api.get(unknown).bearer(&token).send().await;
    assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
    let reply = world
        .api
        .get("/api/users/nonsense")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.refusal(), (400, "BAD_REQUEST"));
    let health = world.api.get("/api/users/health").send().await;
    assert_eq!(health.data()["status"], json!("UP"));
}
