//! The hook by which a program adds to events what SQL cannot compute.

use async_trait::async_trait;

use crate::EventRow;

/// Adds fields to the events of a read model before its statements see them, such as keyed search
/// tokens of text that the log holds sealed.
///
/// It must give the same fields each time it sees the same event, for a rebuild asks again.
#[async_trait]
pub trait Enrich: Send + Sync {
    /// Changes `row.fields`; what the envelope says is put over them afterwards.
    async fn enrich(&self, row: &mut EventRow) -> Result<(), EnrichError>;
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
