//! Reading a stream.

use async_nats::jetstream::stream::Config;
use doran_eventstore::{LogReader, ReadError, Recorded};
use futures_util::StreamExt;

use crate::fixture::{Fixture, context, rename, run};

#[tokio::test]
async fn reading_pages_through_what_fits_the_filter() {
    let fixture = Fixture::start().await;
    let reader = fill(&fixture, 1200).await;
    let all = reader.read("many.1.*", 1, usize::MAX).await.unwrap();
    assert_eq!(all.len(), 600);
    assert!(all.iter().all(|event| event.sequence % 2 == 1));
    let some = reader.read("many.>", 1000, 7).await.unwrap();
    let sequences: Vec<_> = some.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1000..1007).collect::<Vec<_>>());
    assert!(reader.read("many.2.*", 1201, 10).await.unwrap().is_empty());
    assert!(reader.read("many.>", 1, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn single_events_are_found_by_place_and_by_subject() {
    let fixture = Fixture::start().await;
    let reader = fill(&fixture, 20).await;
    let sequence = |event: Option<Recorded>| event.map(|event| event.sequence);
    assert_eq!(sequence(reader.last("many.1.*").await.unwrap()), Some(19));
    assert_eq!(
        sequence(reader.last_from_leader("many.1.*").await.unwrap()),
        Some(19)
    );
    assert_eq!(sequence(reader.last("many.3.*").await.unwrap()), None);
    assert_eq!(
        sequence(reader.last_from_leader("many.3.*").await.unwrap()),
        None
    );
    assert_eq!(sequence(reader.get(7).await.unwrap()), Some(7));
    assert_eq!(sequence(reader.get(21).await.unwrap()), None);
    assert_eq!(sequence(reader.get(0).await.unwrap()), None);
    assert_eq!(reader.head().await.unwrap(), 20);
    let each = reader.last_per_subject("many.>").await.unwrap();
    assert_eq!(
        each.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        [19, 20]
    );
    assert!(
        reader
            .last_per_subject("many.3.*")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_unavailable_at_once() {
    let fixture = Fixture::start().await;
    let reader = LogReader::new(fixture.js.clone(), "NOBODY");
    assert!(matches!(
        reader.last(">").await,
        Err(ReadError::Unavailable(_))
    ));
    assert!(matches!(
        reader.read(">", 1, 1).await,
        Err(ReadError::Unavailable(_))
    ));
    assert!(matches!(
        reader.head().await,
        Err(ReadError::Unavailable(_))
    ));
}

#[tokio::test]
async fn the_incarnation_is_that_of_the_streams_creation() {
    let fixture = Fixture::start().await;
    let incarnation = fixture.reader().incarnation().await.unwrap();
    assert_eq!(
        incarnation.as_deref(),
        Some("00000000-0000-0000-0000-000000000001")
    );
}

#[tokio::test]
async fn all_ways_to_an_event_tell_the_same_of_it() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let mut live = fixture
        .js
        .client()
        .subscribe("live.account.1.*")
        .await
        .unwrap();
    fixture.js.client().flush().await.unwrap();
    let outcome = run(&fixture.store(), "1", rename("one"), &context(1))
        .await
        .unwrap();

    let reader = fixture.reader();
    let direct = reader.get(outcome.sequence).await.unwrap().unwrap();
    let leader = reader
        .last_from_leader("account.1.Renamed")
        .await
        .unwrap()
        .unwrap();
    let live = Recorded::from_republished(live.next().await.unwrap()).unwrap();
    for other in [&leader, &live] {
        assert_eq!(
            (
                &other.stream,
                &other.subject,
                other.sequence,
                other.time,
                other.event_id
            ),
            (
                &direct.stream,
                &direct.subject,
                direct.sequence,
                direct.time,
                direct.event_id
            )
        );
        assert_eq!(
            (&other.event_type, other.version),
            (&direct.event_type, direct.version)
        );
        assert_eq!(other.payload, direct.payload);
    }
    assert_eq!(
        (live.previous_on_subject, direct.previous_on_subject),
        (Some(0), None)
    );
}

#[tokio::test]
async fn a_lane_holds_the_events_of_one_type_with_their_envelopes() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let outcome = run(&fixture.store(), "1", rename("one"), &context(1))
        .await
        .unwrap();
    let lane = LogReader::new(fixture.js.clone(), "Renamed");
    crate::fixture::eventually("the lane has the event", async || {
        lane.head().await.unwrap() == 1
    })
    .await;
    let copy = lane.get(1).await.unwrap().unwrap();
    let original = fixture
        .reader()
        .get(outcome.sequence)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (copy.event_id, copy.command_id),
        (original.event_id, original.command_id)
    );
    assert_eq!((copy.subject, copy.time), (original.subject, original.time));
}

/// A stream of its own with events alternating between `many.1.Said` and `many.2.Said`.
async fn fill(fixture: &Fixture, count: usize) -> LogReader {
    let stream = fixture.js.create_stream(Config {
        name: "MANY".to_owned(),
        subjects: vec!["many.>".to_owned()],
        allow_direct: true,
        ..Config::default()
    });
    stream.await.unwrap();
    let mut acks = Vec::new();
    for number in 0..count {
        let subject = format!("many.{}.Said", number % 2 + 1);
        acks.push(fixture.js.publish(subject, "{}".into()).await.unwrap());
    }
    for ack in acks {
        ack.await.unwrap();
    }
    LogReader::new(fixture.js.clone(), "MANY")
}
