//! Appending without a guard.

use std::time::Duration;

use doran_eventstore::{AppendError, CommandContext, InFlight, Lane, NewEvent};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::fixture::{Fixture, context};

fn event<'a>(id: u128, subject: &str, ctx: &'a CommandContext) -> NewEvent<'a> {
    NewEvent {
        subject: subject.to_owned(),
        event_type: "Renamed",
        version: 2,
        event_id: Uuid::from_u128(id),
        body: format!(r#"{{"name":"{id}"}}"#).into(),
        ctx,
    }
}

#[tokio::test]
async fn an_event_that_comes_twice_is_one_with_its_first_place_and_time() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let first = lane
        .append(event(1, "account.1.Renamed", &ctx))
        .await
        .unwrap();
    assert!(!first.duplicate);
    lane.append(event(2, "account.1.Renamed", &ctx))
        .await
        .unwrap();

    let later = CommandContext {
        time: ctx.time + Duration::from_mins(1),
        ..context(2)
    };
    let again = lane
        .append(event(1, "account.1.Renamed", &later))
        .await
        .unwrap();
    assert!(again.duplicate);
    assert_eq!((again.sequence, again.time), (first.sequence, first.time));
    let stored = fixture.reader().get(first.sequence).await.unwrap().unwrap();
    assert_eq!(
        (stored.time, stored.event_id),
        (first.time, Uuid::from_u128(1))
    );
    assert_eq!(fixture.reader().head().await.unwrap(), 2);
}

#[tokio::test]
async fn an_id_that_belongs_to_another_subject_is_no_duplicate_but_an_error() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    lane.append(event(1, "account.1.Renamed", &ctx))
        .await
        .unwrap();
    let other = lane.append(event(1, "account.2.Renamed", &ctx)).await;
    assert!(matches!(other, Err(AppendError::Rejected(_))));
}

#[tokio::test]
async fn events_lie_in_the_log_in_the_order_of_the_calls() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let mut in_flight = Vec::new();
    for id in 1..=100 {
        in_flight.push(
            lane.submit(event(id, "account.1.Renamed", &ctx))
                .await
                .unwrap(),
        );
    }
    let stored = join_all(in_flight.into_iter().map(InFlight::stored)).await;
    let sequences: Vec<_> = stored
        .into_iter()
        .map(|stored| stored.unwrap().sequence)
        .collect();
    assert_eq!(sequences, (1..=100).collect::<Vec<u64>>());

    // Also when the calls are made without waiting for each other.
    let calls = (101..=200).map(|id| lane.append(event(id, "account.1.Renamed", &ctx)));
    let stored = join_all(calls).await;
    let sequences: Vec<_> = stored
        .into_iter()
        .map(|stored| stored.unwrap().sequence)
        .collect();
    assert_eq!(sequences, (101..=200).collect::<Vec<u64>>());
}

#[tokio::test]
async fn what_the_log_never_takes_is_rejected_at_once() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let large = NewEvent {
        body: vec![b' '; 2 * 1024 * 1024].into(),
        ..event(1, "account.1.Renamed", &ctx)
    };
    let begun = tokio::time::Instant::now();
    assert!(matches!(
        lane.append(large).await,
        Err(AppendError::Rejected(_))
    ));
    let forged = CommandContext {
        actor: Some("a\r\nb: c".to_owned()),
        ..context(1)
    };
    let header = lane.append(event(2, "account.1.Renamed", &forged)).await;
    assert!(matches!(header, Err(AppendError::Rejected(_))));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(fixture.reader().head().await.unwrap(), 0);
}

#[tokio::test]
async fn a_subject_that_no_stream_takes_ends_in_bounded_time() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let begun = tokio::time::Instant::now();
    let nobody = lane.append(event(1, "nobody.1.Renamed", &ctx)).await;
    assert!(matches!(nobody, Err(AppendError::FateUnknown)));
    assert!(begun.elapsed() < Duration::from_secs(6));
}
