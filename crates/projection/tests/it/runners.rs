//! Several runners, and runners that end at the worst moment.

use std::time::Duration;

use doran_projection::Status;
use tokio::time::sleep;

use crate::shop::{Running, Shop, orders, tallies};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runners_one_applies_and_the_other_takes_over() {
    let shop = Shop::open().await;
    let first = shop.run([tallies()]);
    first.until("tallies", Status::is_leader).await;
    let second = shop.run([tallies()]);
    for n in 0..100 {
        shop.place(&format!("o{}", n % 5), n).await;
    }
    first.reached(100).await;
    second.reached(100).await;
    assert!(first.status_of("tallies").is_leader());
    assert!(!second.status_of("tallies").is_leader());

    first.stop().await;
    second.until("tallies", Status::is_leader).await;
    second.reached(shop.place("o0", 1).await).await;
    assert_eq!(
        shop.tallies()
            .await
            .iter()
            .map(|(_, events)| events)
            .sum::<i64>(),
        101
    );
}

/// The lock is only for efficiency: with it taken away, the position keeps two runners apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_lost_its_lock_is_fenced() {
    let shop = Shop::open().await;
    let first = shop.run([tallies()]);
    first.until("tallies", Status::is_leader).await;
    first.reached(shop.place("a", 1).await).await;
    // Another runner moves the position behind the leader's back.
    shop.execute(
        "update shop.tallies set events = events + 1;
         update shop.projection_position set sequence = sequence + 1, last_event_id = null",
    )
    .await;
    shop.place("a", 1).await;
    let last = shop.place("a", 1).await;
    // Fenced at the second event, it reads the position again and applies only the third.
    first.reached(last).await;
    assert_eq!(shop.tallies().await, [("a".to_owned(), 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_applied_twice_or_left_out_however_often_the_runner_dies() {
    let shop = Shop::open().await;
    let last = shop.place_many(6000).await;
    for n in 0..30_u64 {
        // Small batches: it is nearly always in a transaction, or right behind one.
        let running = Running::new(shop.builder().read_models([tallies()]).batch_size(2));
        running.until("tallies", Status::is_leader).await;
        sleep(Duration::from_millis(5 + 7 * (n % 9))).await;
        drop(running);
    }
    let position = shop.stored_position("tallies").await.cast_unsigned();
    assert!(position < last, "it died too seldom");
    let running = shop.run([tallies()]);
    running.reached(last).await;
    assert!(shop.tallies().await.iter().all(|(_, events)| *events == 1));
    assert_eq!(shop.tallies().await.len(), 6000);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_older_copy_of_the_database_is_restored_it_goes_on_from_there() {
    let shop = Shop::open().await;
    let running = shop.run([tallies(), orders()]);
    for n in 0..10 {
        shop.place(&format!("o{n}"), n).await;
    }
    running.reached(10).await;
    running.stop().await;
    shop.execute("create table shop.copy as select order_id, events from shop.tallies")
        .await;
    let running = shop.run([tallies(), orders()]);
    shop.execute(
        "create table shop.copy_position as
        select read_model, sequence, last_event_id from shop.projection_position",
    )
    .await;
    running.reached(shop.place("o0", 1).await).await;
    running.stop().await;
    shop.execute(
        "delete from shop.tallies;
         insert into shop.tallies (order_id, events) select order_id, events from shop.copy;
         update shop.projection_position as p set sequence = c.sequence, last_event_id = c.last_event_id
         from shop.copy_position as c where c.read_model = p.read_model",
    )
    .await;
    let running = shop.run([tallies(), orders()]);
    running.reached(11).await;
    assert_eq!(
        shop.tallies()
            .await
            .iter()
            .map(|(_, events)| events)
            .sum::<i64>(),
        11
    );
}
