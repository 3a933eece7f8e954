use anyhow::Context;
use doran_testkit::TestPostgres;
use sqlx::{Connection, PgConnection};

async fn tables(pool: &sqlx::PgPool) -> i64 {
    let count = "select count(*) from pg_tables where schemaname = 'public'";
    sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let (one, other) = (
        TestPostgres::database().await,
        TestPostgres::database().await,
    );
    sqlx::query("create table here (id int)")
        .execute(&one.pool())
        .await
        .unwrap();
    assert_eq!(tables(&one.pool()).await, 1);
    assert_eq!(tables(&other.pool()).await, 0);
}

#[tokio::test]
async fn a_template_is_filled_once_and_copied() {
    let fill = async |pool: sqlx::PgPool| {
        sqlx::query("create table made (at timestamptz)")
            .execute(&pool)
            .await?;
        sqlx::query("insert into made values (clock_timestamp())")
            .execute(&pool)
            .await?;
        Ok(())
    };
    let one = TestPostgres::database_like("once", fill).await;
    let other = TestPostgres::database_like("once", fill).await;
    let made = async |pool| -> String {
        sqlx::query_scalar("select at::text from made")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    assert_eq!(made(one.pool()).await, made(other.pool()).await);
}

#[tokio::test]
async fn a_stopped_server_resumes_with_its_rows() {
    let postgres = TestPostgres::start().await;
    let pool = postgres.pool();
    sqlx::query("create table kept (id int)")
        .execute(&pool)
        .await
        .unwrap();
    postgres.stop().await;
    assert!(PgConnection::connect(postgres.url()).await.is_err());
    postgres.resume().await;
    let answer = sqlx::query("select id from kept").execute(&pool).await;
    answer.context("the pool finds the server again").unwrap();
}
