//! A schema is built anew while the one in use is written and read, and takes its place.

use std::sync::atomic::{AtomicBool, Ordering};

use doran_eventstore::Position;
use doran_projection::{
    Status,
    rebuild::{Rebuild, SwapError},
};

use crate::shop::{PATIENCE, Running, STREAM, Shop, create_tables, orders, orders_with, tallies};

const LATE_INDEX: &str = "
    stream = \"SHOP\"
    filters = [\"order.*.*\"]
    version = 1
    tables = [\"orders\"]
    build_last = [\"orders_by_amount\"]
";

async fn next(shop: &Shop) -> Running {
    create_tables(&shop.pool, "shop_next").await;
    Running::new(shop.builder_of_next().read_models([orders(), tallies()]))
}

async fn is_there(shop: &Shop, name: &str) -> bool {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(name)
        .fetch_one(&shop.pool)
        .await
        .unwrap()
}

async fn every_order(shop: &Shop) -> Vec<(String, i64)> {
    sqlx::query_as("select order_id, amount from shop.orders order by order_id")
        .fetch_all(&shop.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_schema_takes_over_while_events_come_and_nothing_is_lost_or_stale() {
    let shop = Shop::open().await;
    let live = shop.run([orders(), tallies()]);
    live.reached(shop.place_many(2000).await).await;
    let rebuild = Rebuild::new(shop.pool.clone(), "shop");
    let next = next(&shop).await;
    let is_over = AtomicBool::new(false);

    let writing = async {
        let mut placed = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let order = format!("live-{}", placed.len());
            let seen = shop.place(&order, 7).await;
            // Whoever has seen a position finds what lies there, also during the swap.
            let wanted = [Position::new(STREAM, seen)];
            live.positions().wait(&wanted, PATIENCE).await.unwrap();
            let found: Option<i64> =
                sqlx::query_scalar("select amount from shop.orders where order_id = $1")
                    .bind(&order)
                    .fetch_optional(&shop.pool)
                    .await
                    .unwrap();
            assert_eq!(found, Some(7), "{order}");
            placed.push(order);
        }
        placed
    };
    let rebuilding = async {
        next.reached(2000).await;
        let compared = rebuild.compare(&next.service).await.unwrap();
        assert_eq!(compared.len(), 2);
        for table in compared {
            assert!(table.is_equal, "{table:?}");
            assert!(table.live_rows >= 2000, "{table:?}");
        }
        rebuild.swap().await.unwrap();
        next.stop().await;
        for n in 0..20 {
            live.reached(shop.place(&format!("after-{n}"), 7).await)
                .await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let (placed, ()) = tokio::join!(writing, rebuilding);

    let rows = every_order(&shop).await;
    assert_eq!(rows.len(), 2000 + placed.len() + 20);
    live.until("orders", Status::is_leader).await;
    assert!(is_there(&shop, "shop_prev.orders").await);
    assert!(!is_there(&shop, "shop_next.orders").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_use_before_comes_back_when_it_is_recalled() {
    let shop = Shop::open().await;
    let live = shop.run([orders(), tallies()]);
    live.reached(shop.place("a", 1).await).await;
    let rebuild = Rebuild::new(shop.pool.clone(), "shop");
    let first = next(&shop).await;
    first.reached(1).await;
    shop.execute("alter table shop.orders add column mark text default 'the first'")
        .await;
    rebuild.swap().await.unwrap();
    first.stop().await;
    live.reached(shop.place("b", 2).await).await;

    rebuild.recall_previous().await.unwrap();
    let again = Running::new(shop.builder_of_next().read_models([orders(), tallies()]));
    again.reached(2).await;
    rebuild.swap().await.unwrap();
    again.stop().await;
    live.reached(shop.place("c", 3).await).await;
    let marks: Vec<Option<String>> = sqlx::query_scalar("select mark from shop.orders")
        .fetch_all(&shop.pool)
        .await
        .unwrap();
    assert_eq!(marks, vec![Some("the first".to_owned()); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_finds_one_wrong_row() {
    let shop = Shop::open().await;
    let live = shop.run([orders(), tallies()]);
    live.reached(shop.place_many(10).await).await;
    let next = next(&shop).await;
    next.reached(10).await;
    let rebuild = Rebuild::new(shop.pool.clone(), "shop");
    shop.execute("update shop.orders set amount = amount + 1 where order_id = 'o3'")
        .await;
    let compared = rebuild.compare(&next.service).await.unwrap();
    let equal = |table: &str| {
        let compared = compared.iter().find(|one| one.table == table).unwrap();
        assert_eq!((compared.live_rows, compared.next_rows), (10, 10));
        compared.is_equal
    };
    assert!(!equal("orders"));
    assert!(equal("tallies"));
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_that_are_built_last_are_there_before_the_swap() {
    let shop = Shop::open().await;
    let rebuild = Rebuild::new(shop.pool.clone(), "shop");
    let refused = rebuild.swap().await;
    assert!(
        matches!(refused, Err(SwapError::NothingThere { .. })),
        "{refused:?}"
    );
    create_tables(&shop.pool, "shop_next").await;
    shop.execute("create index orders_by_amount on shop_next.orders (amount)")
        .await;
    let models = [orders_with("projection.toml", LATE_INDEX)];
    let next = Running::new(shop.builder_of_next().read_models(models));
    assert_eq!(rebuild.set_indexes_aside(&next.service).await.unwrap(), 1);
    assert!(!is_there(&shop, "shop_next.orders_by_amount").await);
    next.reached(shop.place("a", 1).await).await;
    let refused = rebuild.swap().await;
    assert!(
        matches!(refused, Err(SwapError::Unfinished { .. })),
        "{refused:?}"
    );
    rebuild.build_indexes(&next.service, |_| ()).await.unwrap();
    assert!(is_there(&shop, "shop_next.orders_by_amount").await);
    rebuild.swap().await.unwrap();
    assert_eq!(every_order(&shop).await, [("a".to_owned(), 1)]);
}
