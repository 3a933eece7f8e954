//! The promises. Each begins with an empty log.

use doran_eventstore::{CommandContext, ExecuteError};
use futures_util::future::join_all;

pub(super) use super::history::a_history_leads_to_the_log_that_the_model_has;
use super::{Store, World};
use crate::{
    account::{Command, Refusal},
    fixture::{ExecuteError as Failure, context, rename},
};

const ADDRESSES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn open(address: &'static str) -> Command {
    Command::Open { address }
}

fn is_taken(error: &Failure) -> bool {
    matches!(error, ExecuteError::Refused(Refusal::Taken(kind)) if kind == "address")
}

pub(super) async fn a_command_is_executed_once_by_whichever_store(world: &impl World) {
    let store = world.store();
    let first = store.execute("1", open("a"), &context(1)).await.unwrap();
    store
        .execute("1", rename("one"), &context(2))
        .await
        .unwrap();
    for store in [store, world.store()] {
        let again = store.execute("1", open("a"), &context(1)).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.position, first.position);
        assert_eq!(again.aggregate.names, ["one"]);
    }
    // A claim, two events, and the other command's.
    assert_eq!(world.events().await.len(), 4);
}

pub(super) async fn a_command_id_belongs_to_one_request(world: &impl World) {
    let with = |fingerprint: &str| CommandContext {
        fingerprint: Some(fingerprint.to_owned()),
        ..context(2)
    };
    let store = world.store();
    store.execute("1", open("a"), &context(1)).await.unwrap();
    store.execute("1", rename("one"), &with("x")).await.unwrap();
    for store in [store, world.store()] {
        let other = store.execute("1", rename("two"), &with("y")).await;
        assert!(matches!(other, Err(ExecuteError::IdempotencyMismatch)));
    }
}

pub(super) async fn a_refusal_writes_nothing(world: &impl World) {
    let store = world.store();
    let missing = store.execute("1", rename("one"), &context(1)).await;
    assert!(matches!(
        missing,
        Err(ExecuteError::Refused(Refusal::Missing))
    ));
    assert!(store.load("1").await.unwrap().is_none());

    let opened = store.execute("1", open("a"), &context(2)).await.unwrap();
    for number in 3..5 {
        let broken = store.execute("1", Command::Break, &context(number)).await;
        assert!(matches!(broken, Err(ExecuteError::Refused(Refusal::Rule))));
    }
    let loaded = store.load("1").await.unwrap().unwrap();
    assert_eq!(loaded.aggregate, opened.aggregate);
    assert_eq!(loaded.sequence, opened.sequence);
    assert_eq!(world.events().await.len(), 3);
}

pub(super) async fn an_expected_last_event_lets_one_of_twenty_through(world: &impl World) {
    let store = world.store();
    let opened = store.execute("1", open("a"), &context(0)).await.unwrap();
    let stores: Vec<_> = (0..20).map(|_| world.store()).collect();
    let contexts: Vec<_> = (1..=20)
        .map(|number| CommandContext {
            expected_sequence: Some(opened.sequence),
            ..context(number)
        })
        .collect();
    let writing = stores
        .iter()
        .zip(&contexts)
        .map(|(store, ctx)| store.execute("1", rename(ctx.command_id), ctx));
    let results = join_all(writing).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let newest = opened.sequence + 1;
    for lost in results.into_iter().filter_map(Result::err) {
        assert!(
            matches!(lost, ExecuteError::PreconditionFailed { actual } if actual == newest),
            "{lost}"
        );
    }
}

pub(super) async fn a_value_is_held_by_one_aggregate_at_a_time(world: &impl World) {
    let store = world.store();
    store.execute("1", open("a"), &context(1)).await.unwrap();
    let taken = world.store().execute("2", open("a"), &context(2)).await;
    assert!(is_taken(&taken.unwrap_err()));

    let moving = Command::Move { to: "b" };
    world
        .store()
        .execute("1", moving, &context(3))
        .await
        .unwrap();
    store.execute("2", open("a"), &context(4)).await.unwrap();
    let moving = Command::Move { to: "a" };
    let back = store.execute("1", moving, &context(5)).await;
    assert!(is_taken(&back.unwrap_err()));
}

pub(super) async fn of_those_who_want_one_value_one_gets_it(world: &impl World) {
    for (round, address) in (0_u128..).zip(ADDRESSES) {
        let stores: Vec<_> = (0..8).map(|_| world.store()).collect();
        let racers = stores.iter().zip(0_u128..).map(async |(store, number)| {
            let number = round * 100 + number;
            store
                .execute(&number.to_string(), open(address), &context(number))
                .await
        });
        let results = join_all(racers).await;
        let got = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(got, 1, "{address}");
        for lost in results.into_iter().filter_map(Result::err) {
            assert!(is_taken(&lost), "{lost}");
        }
    }
    // For each value a claim and two events, and nothing of those who lost.
    assert_eq!(world.events().await.len(), 3 * ADDRESSES.len());
}

pub(super) async fn sixteen_writers_break_no_chain(world: &impl World) {
    let store = world.store();
    store.execute("1", open("a"), &context(0)).await.unwrap();
    let writers = (1..=16_u128).map(async |writer| {
        let store = world.store();
        // A retry is recognised among the last 32 commands of the aggregate, so no more than 31
        // others may come between a lost answer and it.
        for round in 0..2 {
            let ctx = context(writer * 100 + round);
            let renamed = store.execute("1", rename(ctx.command_id), &ctx).await;
            let renamed = renamed.unwrap();
            assert!(
                renamed
                    .aggregate
                    .names
                    .contains(&ctx.command_id.to_string())
            );
        }
    });
    join_all(writers).await;

    let loaded = world.store().load("1").await.unwrap().unwrap();
    let mut names = loaded.aggregate.names;
    assert_eq!(names.len(), 32);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 32, "a command was executed twice");
    assert_eq!(world.events().await.len(), 3 + 32);
}
