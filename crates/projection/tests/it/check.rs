//! What is wrong with statements is found before they run.

use crate::shop::{Shop, orders, orders_with, tallies};

async fn problem(shop: &Shop, model: &doran_projection::ReadModel) -> Option<String> {
    let mut connection = shop.pool.acquire().await.unwrap();
    sqlx::query("set search_path = shop")
        .execute(&mut *connection)
        .await
        .unwrap();
    let checked = model.check(&mut connection).await;
    checked.err().map(|error| error.to_string())
}

#[tokio::test]
async fn sound_read_models_pass_and_leave_nothing_behind() {
    let shop = Shop::open().await;
    assert_eq!(problem(&shop, &orders()).await, None);
    assert_eq!(problem(&shop, &tallies()).await, None);
    let left: i64 =
        sqlx::query_scalar("select count(*) from pg_proc where proname = 'projection_check'")
            .fetch_one(&shop.pool)
            .await
            .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_column_that_is_not_there_and_a_table_of_somebody_else_are_named() {
    let shop = Shop::open().await;
    let broken = orders_with(
        "OrderCancelled.sql",
        "delete from orders where colour = $1 ->> 'colour'",
    );
    let reason = problem(&shop, &broken).await.unwrap();
    assert_eq!(
        reason,
        "orders/OrderCancelled.sql does not run on the tables: column \"colour\" does not exist"
    );
    let foreign = orders_with(
        "OrderCancelled.sql",
        "delete from orders where order_id in (select t.order_id from tallies t) and $1 is not null",
    );
    let reason = problem(&shop, &foreign).await.unwrap();
    assert_eq!(
        reason,
        "orders/OrderCancelled.sql uses the table tallies, which its projection.toml does not list"
    );
}
