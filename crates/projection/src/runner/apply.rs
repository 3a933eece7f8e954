//! A batch of events as one transaction; after a bad event as several, until it stands alone.

use std::{borrow::Cow, collections::HashSet, time::Duration};

use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::{
    Ended, Failure,
    failure::run_statement,
    prepare::{Prepared, Work},
    session::Session,
};
use crate::{
    Halt,
    checkpoint::{self, Place},
    parked,
    service::Model,
};

/// Longer than the server lets one statement run.
const DEADLINE: Duration = Duration::from_secs(90);
/// So many at once are no bad events but a bad statement.
const MOST_PARKED: usize = 10_000;

/// Applies the events in their order and moves the position past them.
pub(super) async fn apply(session: &mut Session<'_>, events: &[Prepared]) -> Result<(), Ended> {
    let mut parts = vec![(events, None)];
    while let Some((part, poison)) = parts.pop() {
        let transaction = transact(session, part, poison.as_deref());
        match timeout(DEADLINE, transaction).await.map_err(Ended::retry)? {
            Ok(place) => session.moved_to(place).await,
            Err(Failure::Event { reason }) if part.len() == 1 && poison.is_none() => {
                tracing::error!(
                    schema = %session.model.schema,
                    read_model = session.model.name(),
                    sequence = part.first().map(|event| event.recorded.sequence),
                    reason,
                    "an event cannot be applied, its aggregate is parked"
                );
                parts.push((part, Some(reason)));
            }
            Err(Failure::Event { .. }) if part.len() > 1 => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.push((second, None));
                parts.push((first, None));
            }
            Err(failure) => return Err(failure.into_ended()),
        }
        if session.parked.len() > MOST_PARKED {
            let parked = session.parked.len();
            return Err(Ended::Halted(Halt::TooManyParked { parked }));
        }
    }
    Ok(())
}

/// Applies what can be applied and parks the rest, with the position, or does nothing at all.
async fn transact(
    session: &mut Session<'_>,
    events: &[Prepared],
    poison: Option<&str>,
) -> Result<Place, Failure> {
    let model = session.model;
    let mut transaction = session.connection.begin().await?;
    let mut parked_now = HashSet::new();
    if !session.parked.is_empty() {
        // A retry may empty the table meanwhile: then one more event is parked than need be.
        parked_now = parked::aggregates(&mut transaction, model.name()).await?;
    }
    let mut rows: Vec<&Prepared> = Vec::with_capacity(events.len());
    let mut to_park: Vec<(&Prepared, Cow<'_, str>)> = Vec::new();
    for event in events {
        let reason = match (&event.work, poison) {
            (Work::Nothing, _) => continue,
            (Work::Park(reason), _) => Some(Cow::Borrowed(reason.as_str())),
            (Work::Row(_), Some(reason)) => Some(Cow::Borrowed(reason)),
            (Work::Row(_), None) if parked_now.contains(event.aggregate()) => {
                Some(Cow::Borrowed(parked::BEHIND_ANOTHER))
            }
            (Work::Row(_), None) => None,
        };
        match reason {
            Some(reason) => {
                parked_now.insert(event.aggregate().to_owned());
                to_park.push((event, reason));
            }
            None => rows.push(event),
        }
    }
    apply_rows(&mut transaction, model, &rows).await?;
    parked::insert(&mut transaction, model, &to_park).await?;
    let place = place_after(session.place, events);
    let from = session.place.sequence;
    if !checkpoint::compare_and_set(&mut transaction, model, from, place).await? {
        return Err(Failure::Fenced);
    }
    transaction
        .commit()
        .await
        .map_err(|error| Failure::of(error, "commit"))?;
    session.parked = parked_now;
    Ok(place)
}

/// One statement for each run of events of one type.
async fn apply_rows(
    connection: &mut PgConnection,
    model: &Model,
    rows: &[&Prepared],
) -> Result<(), Failure> {
    for group in rows.chunk_by(|a, b| a.recorded.event_type == b.recorded.event_type) {
        let statement = group
            .first()
            .and_then(|event| model.definition.statement(&event.recorded.event_type))
            .expect("an event without a statement has no row");
        let rows = group.iter().filter_map(|event| match &event.work {
            Work::Row(row) => Some(row),
            Work::Nothing | Work::Park(_) => None,
        });
        run_statement(connection, statement, &rows.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// An event that the log delivers behind the position was skipped wrongly; it is applied all the
/// same, and the position does not go back.
fn place_after(place: Place, events: &[Prepared]) -> Place {
    events
        .last()
        .filter(|last| last.recorded.sequence > place.sequence)
        .map_or(place, |last| Place {
            sequence: last.recorded.sequence,
            event_id: Some(last.recorded.event_id),
        })
}
