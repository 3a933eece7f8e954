//! Appending without a guard.

use std::{collections::HashMap, time::Duration};

use doran_eventstore::{AppendError, CommandContext, InFlight, Lane, NewEvent};
use futures_util::{FutureExt, StreamExt, future::join_all};
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
}

#[tokio::test]
async fn more_events_than_go_alone_are_each_stored_once() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let calls = (1..=300).map(|id| lane.append(event(id, "account.1.Renamed", &ctx)));
    let mut stored = HashMap::new();
    for (id, appended) in (1..).zip(join_all(calls).await) {
        let appended = appended.unwrap();
        assert!(!appended.duplicate);
        stored.insert(appended.sequence, Uuid::from_u128(id));
    }
    assert_eq!(fixture.reader().head().await.unwrap(), 300);
    for sequence in 1..=300 {
        let event = fixture.reader().get(sequence).await.unwrap().unwrap();
        assert_eq!(stored.get(&sequence), Some(&event.event_id));
    }
}

#[tokio::test]
async fn runs_that_come_at_once_keep_their_order_and_go_together() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let runs: Vec<Vec<_>> = (0..20)
        .map(|run| {
            let subject = format!("account.{run}.Renamed");
            let ids = run * 100..run * 100 + 30;
            ids.map(|id| event(id, &subject, &ctx)).collect()
        })
        .collect();
    let appended = join_all(runs.iter().map(|run| lane.append_in_order(run))).await;
    for run in appended {
        let sequences: Vec<_> = run
            .into_iter()
            .map(|appended| appended.unwrap().sequence)
            .collect();
        let first = sequences[0];
        assert_eq!(sequences, (first..first + 30).collect::<Vec<u64>>());
    }
    assert_eq!(fixture.reader().head().await.unwrap(), 600);
}

#[tokio::test]
async fn who_stops_waiting_for_a_batch_spoils_nobody_elses() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let run = |number: u128| -> Vec<_> {
        let ids = number * 100..number * 100 + 20;
        ids.map(|id| event(id, "account.1.Renamed", &ctx)).collect()
    };
    let (first, second) = (run(1), run(2));
    let gone = async {
        let sending = lane.append_in_order(&first);
        // Polled once, it has sent its batch; then its caller goes away.
        assert!(sending.now_or_never().is_none());
    };
    let ((), appended) = tokio::join!(gone, lane.append_in_order(&second));
    for appended in appended {
        appended.unwrap();
    }
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

#[tokio::test]
async fn many_events_that_belong_behind_each_other_are_one_batch() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let mut live = fixture
        .js
        .client()
        .subscribe("live.account.>")
        .await
        .unwrap();
    let events: Vec<_> = (1..=100)
        .map(|id| event(id, &format!("account.{}.Renamed", id % 3), &ctx))
        .collect();
    let appended = lane.append_in_order(&events).await;
    for (sequence, (event, appended)) in (1..).zip(events.iter().zip(appended)) {
        let appended = appended.unwrap();
        assert_eq!((appended.sequence, appended.duplicate), (sequence, false));
        let stored = fixture.reader().get(sequence).await.unwrap().unwrap();
        assert_eq!(
            (stored.event_id, &stored.subject, stored.time),
            (event.event_id, &event.subject, appended.time)
        );
        // Those who follow the log live see the batch event by event, each behind the one before it.
        let live = live.next().await.unwrap();
        let header = |name: &str| {
            live.headers
                .as_ref()
                .unwrap()
                .get(name)
                .unwrap()
                .to_string()
        };
        assert_eq!(header("Nats-Sequence"), sequence.to_string());
        let before = sequence.saturating_sub(3);
        assert_eq!(header("Nats-Last-Sequence"), before.to_string());
    }
}

#[tokio::test]
async fn a_batch_of_which_the_log_has_some_or_takes_not_all_is_stored_one_by_one() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let first = lane
        .append(event(7, "account.1.Renamed", &ctx))
        .await
        .unwrap();
    let mut events: Vec<_> = (1..=20)
        .map(|id| event(id, "account.1.Renamed", &ctx))
        .collect();
    // One is too large, and one is there twice.
    events[9].body = vec![b' '; 2 * 1024 * 1024].into();
    events[14] = events[13].clone();
    let appended = lane.append_in_order(&events).await;
    let mut next = first.sequence;
    for (index, appended) in appended.into_iter().enumerate() {
        match (index, appended) {
            (6, Ok(known)) => assert_eq!((known.sequence, known.duplicate), (1, true)),
            (9, refused) => assert!(matches!(refused, Err(AppendError::Rejected(_)))),
            (14, Ok(known)) => assert_eq!((known.sequence, known.duplicate), (next, true)),
            (_, appended) => {
                next += 1;
                let appended = appended.unwrap();
                assert_eq!((appended.sequence, appended.duplicate), (next, false));
            }
        }
    }
    assert_eq!(fixture.reader().head().await.unwrap(), next);
}

#[tokio::test]
async fn a_stream_that_takes_no_batches_takes_what_belongs_behind_each_other() {
    let fixture = Fixture::start().await;
    let mut stream = fixture.js.get_stream("ACCOUNT").await.unwrap();
    let mut config = stream.info().await.unwrap().config.clone();
    config.allow_atomic_publish = false;
    fixture.js.update_stream(config).await.unwrap();
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    let events: Vec<_> = (1..=20)
        .map(|id| event(id, "account.1.Renamed", &ctx))
        .collect();
    let appended = lane.append_in_order(&events).await;
    let sequences: Vec<_> = appended
        .into_iter()
        .map(|appended| appended.unwrap().sequence)
        .collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<u64>>());
}

#[tokio::test]
async fn behind_an_event_that_may_be_stored_later_none_is_stored() {
    let fixture = Fixture::start().await;
    let lane = Lane::new(fixture.js.clone());
    let ctx = context(1);
    for count in [3, 30] {
        let mut events: Vec<_> = (1..=count)
            .map(|id| event(id, "account.1.Renamed", &ctx))
            .collect();
        events[0].subject = "nobody.1.Renamed".to_owned();
        let mut appended = lane.append_in_order(&events).await.into_iter();
        let first = appended.next().unwrap();
        // A batch that lacks one is certainly not stored; one without an answer could be.
        assert!(
            matches!(
                (count, &first),
                (3, Err(AppendError::FateUnknown)) | (30, Err(AppendError::Unavailable(_)))
            ),
            "{first:?}"
        );
        for behind in appended {
            assert!(
                matches!(behind, Err(AppendError::Unavailable(_))),
                "{behind:?}"
            );
        }
    }
    assert_eq!(fixture.reader().head().await.unwrap(), 0);
}
