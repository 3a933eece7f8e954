//! From a stored event to the row that its statement takes.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use doran_eventstore::{DecodeError, Recorded, Schema};
use serde_json::Value;
use tokio::time::sleep;

use super::failure::chain;
use crate::{
    Enrich, EnrichError, Halt,
    read_model::Statement,
    row::{EventRow, Row},
    service::Model,
};

/// An event that is ready to be applied.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) recorded: Arc<Recorded>,
    pub(crate) work: Work,
}

/// What is to be done with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Its statement takes this.
    Row(Row),
    /// No statement wants it.
    Nothing,
    /// It can never be applied, for this reason.
    Park(String),
}

impl Prepared {
    /// The subject without the event type.
    pub(crate) fn aggregate(&self) -> &str {
        let subject = &self.recorded.subject;
        subject
            .rsplit_once('.')
            .map_or(subject, |(aggregate, _)| aggregate)
    }
}

/// Fails only where the read model must stop; waits as long as the enriching is unavailable.
pub(crate) async fn prepare(model: &Model, event: Arc<Recorded>) -> Result<Prepared, Halt> {
    let work = match schema_of(model, &event) {
        None => {
            model.tracker.count_unknown_type();
            Work::Nothing
        }
        Some((schema, version)) => match model.definition.statement(&event.event_type) {
            None => Work::Nothing,
            Some(statement) => match &model.enrich {
                Some(enrich) => enriched_row(&**enrich, &event, schema, statement).await?,
                None if event.version == version => stored_row(&event, statement),
                None => opened_row(&event, schema, statement)?,
            },
        },
    };
    Ok(Prepared {
        recorded: event,
        work,
    })
}

fn schema_of<'a>(model: &'a Model, event: &Recorded) -> Option<(&'a Schema, u32)> {
    model.events.iter().find_map(|schema| {
        let known = schema
            .types
            .iter()
            .find(|(name, _)| *name == event.event_type)?;
        Some((schema, known.1))
    })
}

fn stored_row(event: &Recorded, statement: &Statement) -> Work {
    Row::of_body(event, statement).map_or_else(|error| Work::Park(error.to_string()), Work::Row)
}

fn opened_row(event: &Arc<Recorded>, schema: &Schema, statement: &Statement) -> Result<Work, Halt> {
    Ok(match open(event, schema)? {
        Ok(row) => written(&row, statement),
        Err(reason) => Work::Park(reason),
    })
}

async fn enriched_row(
    enrich: &dyn Enrich,
    event: &Arc<Recorded>,
    schema: &Schema,
    statement: &Statement,
) -> Result<Work, Halt> {
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .with_jitter()
        .without_max_times()
        .build();
    let mut is_first = true;
    loop {
        // Anew each time: an attempt that failed may have changed something.
        let mut row = match open(event, schema)? {
            Ok(row) => row,
            Err(reason) => return Ok(Work::Park(reason)),
        };
        match enrich.enrich(&mut row).await {
            Ok(()) => return Ok(written(&row, statement)),
            Err(error @ EnrichError::Permanent(_)) => return Ok(Work::Park(chain(&error))),
            Err(error @ EnrichError::Unavailable(_)) => {
                if std::mem::take(&mut is_first) {
                    let error = chain(&error);
                    tracing::warn!(
                        error,
                        sequence = event.sequence,
                        "waiting to enrich an event"
                    );
                }
                sleep(delays.next().unwrap_or(Duration::from_secs(2))).await;
            }
        }
    }
}

fn open(event: &Arc<Recorded>, schema: &Schema) -> Result<Result<EventRow, String>, Halt> {
    match event.body(schema) {
        Ok(Value::Object(fields)) => Ok(Ok(EventRow {
            event: Arc::clone(event),
            fields,
        })),
        Ok(_) => Ok(Err("an event's body is a JSON object".to_owned())),
        Err(DecodeError::UnknownVersion {
            sequence,
            event_type,
            version,
            ..
        }) => Err(Halt::UnknownVersion {
            sequence,
            event_type,
            version,
        }),
        Err(error @ (DecodeError::Malformed { .. } | DecodeError::UnknownType { .. })) => {
            Ok(Err(chain(&error)))
        }
    }
}

fn written(row: &EventRow, statement: &Statement) -> Work {
    Row::of_opened(row, statement).map_or_else(|error| Work::Park(error.to_string()), Work::Row)
}
