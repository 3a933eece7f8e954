//! What each role must not do with the servers. What it must not do with NATS is tried in testkit,
//! beside `nats.conf`.

use redis::{Client, RedisResult, Value};
use sqlx::{AssertSqlSafe, Connection, PgConnection, error::DatabaseError};

use super::ground::Ground;

const OWNERS: [(&str, &str, &str); 5] = [
    ("auth", "auth", "sessions"),
    ("user", "user_schema", "users"),
    ("chat", "chat", "rooms"),
    ("store", "store", "bookmarks"),
    ("batch", "batch", "runs"),
];

/// The code with which PostgreSQL refuses.
async fn refusal(connection: &mut PgConnection, sql: String) -> Option<String> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    let error = done.err()?;
    let code = error.as_database_error().and_then(DatabaseError::code);
    Some(code.unwrap().into_owned())
}

#[tokio::test]
async fn a_service_reads_and_writes_its_own_schema_alone() {
    const DENIED: Option<&str> = Some("42501");
    let ground = Ground::start().await;
    for (role, own, table) in OWNERS {
        let url = ground.secret(role, "DATABASE_URL");
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let mut try_to = async |sql: String| refusal(&mut connection, sql).await;
        assert_eq!(
            try_to(format!("select count(*) from {own}.{table}")).await,
            None
        );
        for (other, schema, table) in OWNERS.into_iter().filter(|(other, ..)| *other != role) {
            for sql in [
                format!("select count(*) from {schema}.{table}"),
                format!("delete from {schema}.{table}"),
                format!("create table {schema}.planted (id int)"),
                format!("drop schema {schema} cascade"),
                format!("set role doran_{other}"),
            ] {
                assert_eq!(
                    try_to(sql.clone()).await.as_deref(),
                    DENIED,
                    "{role}: {sql}"
                );
            }
        }
        for sql in [
            "create table public.planted (id int)",
            "create role planted",
            "select pg_read_file('postgresql.conf')",
            "copy (select 1) to program 'true'",
            "select rolpassword from pg_authid",
        ] {
            assert_eq!(
                try_to(sql.to_owned()).await.as_deref(),
                DENIED,
                "{role}: {sql}"
            );
        }
    }
}

#[tokio::test]
async fn the_gateway_touches_the_keys_of_its_limiter_alone() {
    let ground = Ground::start().await;
    let url = ground.secret("gateway", "REDIS_URL");
    let client = Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut call = async |words: &[&str]| -> RedisResult<Value> {
        let (name, arguments) = words.split_first().unwrap();
        redis::cmd(name)
            .arg(arguments)
            .query_async(&mut connection)
            .await
    };
    call(&["SET", "doran:limit:chat:user:x", "1"])
        .await
        .unwrap();
    call(&["INFO"]).await.unwrap();
    for words in [
        &["GET", "sessions"][..],
        &["SET", "doran:other", "1"],
        &["EVAL", "return redis.call('GET', KEYS[1])", "1", "sessions"],
        &["EVAL", "return redis.call('GET', 'sessions')", "0"],
        &["EVAL", "return redis.call('FLUSHALL')", "0"],
        &["KEYS", "*"],
        &["SCAN", "0"],
        &["FLUSHALL"],
        &["CONFIG", "GET", "dir"],
        &["ACL", "LIST"],
        &["SUBSCRIBE", "x"],
        &["PUBLISH", "x", "y"],
        &["SHUTDOWN"],
    ] {
        let error = call(words).await.expect_err(&format!("{words:?}"));
        let text = error.to_string();
        // A script is told in other words.
        let is_denied =
            error.code() == Some("NOPERM") || text.contains("The user executing the script can't");
        assert!(is_denied, "{words:?}: {text}");
    }
}
