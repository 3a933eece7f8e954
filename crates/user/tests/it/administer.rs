//! Status and role, changed over HTTP and from the command line.

use axum::http::Method;
use doran_contract::user::{Role, UserStatus};
use serde_json::json;

use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_suspends_and_the_suspended_is_locked_out() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let (kim, kim_token) = world.person("kim@example.com", ("Kim", "A")).await;
    let change = |status: &str, token: &str| {
        let path = format!("/api/users/{kim}/status?status={status}");
        world.api.call(Method::PATCH, &path).bearer(token)
    };
    let refused = change("SUSPENDED", &kim_token).send().await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
    let reply = change("NONSENSE", &admin).send().await;
    assert_eq!(reply.status, 422, "{}", reply.body);

    let reply = change("SUSPENDED", &admin).send().await;
    assert_eq!(reply.data()["status"], json!("SUSPENDED"));
    let position = reply.header("doran-position").to_owned();
    let again = change("SUSPENDED", &admin).send().await;
    assert_eq!(again.data()["status"], json!("SUSPENDED"));
    assert_eq!(again.header("etag"), reply.header("etag"));

    let read = world.api.get(&format!("/api/users/{kim}")).bearer(&admin);
    let read = read.header("doran-min-position", &position).send().await;
    assert_eq!(read.data()["status"], json!("SUSPENDED"));
    assert_eq!(read.header("etag"), reply.header("etag"));
    let locked_out = async || {
        let call = world
            .api
            .get(&format!("/api/users/{kim}"))
            .bearer(&kim_token);
        call.send().await.status == 401
    };
    until(locked_out).await;

    let stale = change("ACTIVE", &admin)
        .header("if-match", "\"1\"")
        .send()
        .await;
    assert_eq!(stale.refusal(), (412, "PRECONDITION_FAILED"));
    let fresh = change("ACTIVE", &admin).header("if-match", reply.header("etag"));
    assert_eq!(fresh.send().await.data()["status"], json!("ACTIVE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_another_who_can_do_the_same() {
    let world = World::start().await;
    let (admin_id, admin) = world.admin().await;
    let (kim, kim_token) = world.person("kim@example.com", ("Kim", "A")).await;
    let change = |user, role: &str, token: &str| {
        let path = format!("/api/auth/users/{user}/role");
        let call = world.api.call(Method::PUT, &path).bearer(token);
        call.json(&json!({ "role": role }))
    };
    let refused = change(kim, "ROLE_ADMIN", &kim_token).send().await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
    let reply = change(kim, "ROLE_ADMIN", &admin).send().await;
    assert_eq!(reply.data()["role"], json!("ROLE_ADMIN"));
    let wrong = change(kim, "ROLE_KING", &admin).send().await;
    assert_eq!((wrong.status, wrong.fields()), (422, vec!["role"]));
    until(async || {
        change(admin_id, "ROLE_USER", &kim_token)
            .send()
            .await
            .status
            == 200
    })
    .await;
    // Kim is one already, so a call that comes too early changes nothing.
    until(async || change(kim, "ROLE_ADMIN", &admin).send().await.status == 403).await;
    let unknown = "00000000-0000-0000-0000-000000000001";
    let reply = change(unknown.parse().unwrap(), "ROLE_ADMIN", &kim_token)
        .send()
        .await;
    assert_eq!(reply.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_list_everybody_by_status_role_and_name() {
    let world = World::start().await;
    let (admin_id, admin) = world.admin().await;
    let (kim, kim_token) = world.person("kim@example.com", ("Kim", "A")).await;
    let (lee, _) = world.person("lee@example.com", ("Lee", "B")).await;
    let suspended = world.api.call(
        Method::PATCH,
        &format!("/api/users/{lee}/status?status=SUSPENDED"),
    );
    let suspended = suspended.bearer(&admin).send().await;
    let list = async |query: &str| {
        let call = world.api.get(&format!("/api/users?{query}")).bearer(&admin);
        let position = suspended.header("doran-position");
        let reply = call.header("doran-min-position", position).send().await;
        let items = reply.data()["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|user| user["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [json!(lee), json!(kim), json!(admin_id)]);
    assert_eq!(list("status=SUSPENDED").await, [json!(lee)]);
    assert_eq!(list("role=ROLE_ADMIN").await, [json!(admin_id)]);
    assert_eq!(list("q=kim&status=ACTIVE").await, [json!(kim)]);
    assert_eq!(list("q=lee@example.com").await, [json!(lee)]);
    assert_eq!(
        list("q=lee&status=ACTIVE").await,
        Vec::<serde_json::Value>::new()
    );
    let refused = world.api.get("/api/users").bearer(&kim_token).send().await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_promotes_suspends_and_lists_without_a_token() {
    let world = World::start().await;
    let last = world.register("kim@example.com", ("Kim", "A")).await;
    let first = doran_user::admin::promote(&world.platform, "KIM@example.com")
        .await
        .unwrap();
    assert_eq!((first.user.role, first.is_new), (Some(Role::Admin), true));
    let again = doran_user::admin::promote(&world.platform, "kim@example.com")
        .await
        .unwrap();
    assert!(!again.is_new);
    let suspended = doran_user::admin::suspend(&world.platform, "kim@example.com")
        .await
        .unwrap();
    assert_eq!(suspended.user.status, Some(UserStatus::Suspended));
    let nobody = doran_user::admin::suspend(&world.platform, "lee@example.com").await;
    assert!(matches!(
        nobody,
        Err(doran_user::admin::AdminError::UnknownEmail)
    ));
    until(async || {
        let page = doran_user::admin::list(&world.platform, None, 10)
            .await
            .unwrap();
        page.items.len() == 1
            && page.items[0].email.as_deref() == last.data()["email"].as_str()
            && page.items[0].status == Some(UserStatus::Suspended)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_filter_is_none() {
    let world = World::start().await;
    let (_, admin) = world.admin().await;
    let list = async |query: &str| {
        let call = world.api.get(&format!("/api/users?{query}"));
        call.bearer(&admin).send().await
    };
    until(async || {
        !list("").await.data()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    })
    .await;
    let all = list("q=&status=&role=").await;
    assert_eq!(
        all.data()["items"].as_array().unwrap().len(),
        1,
        "{}",
        all.body
    );
    let wrong = list("status=GONE").await;
    assert_eq!((wrong.status, wrong.fields()), (422, vec!["status"]));
}
