//! The hook by which a program adds to events what SQL cannot compute.

use async_trait::async_trait;
use doran_eventstore::Recorded;
use serde_json::{Map, Value};

/// Adds fields to the events of a read model before its statements see them, such as keyed search
/// tokens of text that the log holds sealed.
///
/// It must give the same fields each time it sees the same event, for a rebuild asks again.
#[async_trait]
pub trait Enrich: Send + Sync {
    /// Fields that are put over those of the same name in `body`, the event's own as a JSON object
    /// in the shape of the current version.
    async fn enrich(&self, event: &Recorded, body: &str)
    -> Result<Map<String, Value>, EnrichError>;
}

/// Why an event could not be enriched.
#[derive(Debug, thiserror::Error)]
pub enum EnrichError {
    /// Something is away; asked again with backoff until it is back.
    #[error("enriching is not possible at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This event will never pass; its aggregate is parked.
    #[error("the event cannot be enriched")]
    Permanent(#[source] Box<dyn std::error::Error + Send + Sync>),
}
