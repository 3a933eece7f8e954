//! Values that only one aggregate may hold.

use doran_eventstore::ExecuteError;
use futures_util::future::join_all;

use crate::{
    account::{Command, Refusal},
    fixture::{ExecuteError as Failure, Fixture, context, run},
};

fn is_taken(error: &Failure) -> bool {
    matches!(error, ExecuteError::Refused(Refusal::Taken(kind)) if kind == "address")
}

#[tokio::test]
async fn of_twenty_processes_that_want_one_value_one_gets_it() {
    let fixture = Fixture::start().await;
    let stores: Vec<_> = (0..20).map(|_| fixture.store()).collect();
    let racers = stores.iter().zip(0_u128..).map(async |(store, number)| {
        let open = Command::Open { address: "a" };
        run(store, &number.to_string(), open, &context(number)).await
    });
    let results = join_all(racers).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for lost in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(is_taken(lost), "{lost}");
    }
    // One claim and two events, and nothing of those who lost.
    assert_eq!(fixture.reader().head().await.unwrap(), 3);
    let winner = results.iter().position(Result::is_ok).unwrap();
    let owner = fixture.reader().claim_owner("address", "a").await.unwrap();
    assert_eq!(owner, Some(winner.to_string()));
}

#[tokio::test]
async fn a_value_that_was_freed_can_be_taken_by_another() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let second = Command::Open { address: "a" };
    let taken = run(&store, "2", second.clone(), &context(1)).await;
    assert!(is_taken(&taken.unwrap_err()));

    let moved = run(
        &fixture.store(),
        "1",
        Command::Move { to: "b" },
        &context(2),
    )
    .await;
    moved.unwrap();
    run(&store, "2", second, &context(3)).await.unwrap();
    let reader = fixture.reader();
    assert_eq!(
        reader.claim_owner("address", "a").await.unwrap().as_deref(),
        Some("2")
    );
    assert_eq!(
        reader.claim_owner("address", "b").await.unwrap().as_deref(),
        Some("1")
    );

    let back = run(
        &fixture.store(),
        "1",
        Command::Move { to: "a" },
        &context(4),
    )
    .await;
    assert!(is_taken(&back.unwrap_err()));
}

#[tokio::test]
async fn taking_what_one_holds_already_is_no_refusal() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let store = fixture.store();
    let moved = run(&store, "1", Command::Move { to: "a" }, &context(1))
        .await
        .unwrap();
    // The claim needs no message of its own.
    assert_eq!(moved.sequence, opened.sequence + 1);
    assert_eq!(
        fixture
            .reader()
            .claim_owner("address", "a")
            .await
            .unwrap()
            .as_deref(),
        Some("1")
    );
}

#[tokio::test]
async fn a_value_that_nobody_holds_has_no_owner() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    run(
        &fixture.store(),
        "1",
        Command::Move { to: "b" },
        &context(1),
    )
    .await
    .unwrap();
    assert_eq!(
        fixture.reader().claim_owner("address", "a").await.unwrap(),
        None
    );
    assert_eq!(
        fixture.reader().claim_owner("address", "c").await.unwrap(),
        None
    );
}
