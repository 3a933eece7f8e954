//! From a stored event to the row that its statement takes.

use std::{borrow::Cow, sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use doran_eventstore::{DecodeError, Recorded, Schema};
use serde_json::{Map, Value};
use tokio::time::sleep;

use super::failure::chain;
use crate::{
    Enrich, EnrichError, Halt,
    read_model::Statement,
    row::{NO_OBJECT, Row, json_object},
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
        Some(schema) => match model.definition.statement(&event.event_type) {
            None => Work::Nothing,
            Some(statement) => work(model, &event, schema, statement).await?,
        },
    };
    Ok(Prepared {
        recorded: event,
        work,
    })
}

fn schema_of<'a>(model: &'a Model, event: &Recorded) -> Option<&'a Schema> {
    model.events.iter().find(|schema| {
        let mut types = schema.types.iter();
        types.any(|(name, _)| *name == event.event_type)
    })
}

async fn work(
    model: &Model,
    event: &Recorded,
    schema: &Schema,
    statement: &Statement,
) -> Result<Work, Halt> {
    let body = match body(event, schema)? {
        Ok(body) => body,
        Err(reason) => return Ok(Work::Park(reason)),
    };
    let added = match &model.enrich {
        Some(enrich) => enriched(&**enrich, event, &body).await,
        None => Ok(Map::new()),
    };
    let row = added.and_then(|added| {
        Row::of(event, &body, &added, statement).map_err(|error| error.to_string())
    });
    Ok(row.map_or_else(Work::Park, Work::Row))
}

/// The event's own fields in the shape of the current version, or why it has none.
fn body<'a>(event: &'a Recorded, schema: &Schema) -> Result<Result<Cow<'a, str>, String>, Halt> {
    let mut known = schema.types.iter();
    let is_current = known.any(|known| *known == (event.event_type.as_str(), event.version));
    if is_current {
        let body = json_object(&event.payload).map(Cow::Borrowed);
        return Ok(body.map_err(|error| error.to_string()));
    }
    match event.body(schema) {
        Ok(Value::Object(fields)) => Ok(Ok(Cow::Owned(Value::Object(fields).to_string()))),
        Ok(_) => Ok(Err(NO_OBJECT.to_owned())),
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

/// What is added to the event's fields, or why it never can be.
async fn enriched(
    enrich: &dyn Enrich,
    event: &Recorded,
    body: &str,
) -> Result<Map<String, Value>, String> {
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .with_jitter()
        .without_max_times()
        .build();
    let mut is_first = true;
    loop {
        match enrich.enrich(event, body).await {
            Ok(added) => return Ok(added),
            Err(error @ EnrichError::Permanent(_)) => return Err(chain(&error)),
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
