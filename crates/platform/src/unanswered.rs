//! Questions to a server that are answered in time, or count as not answered.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::time::timeout;

/// A server refused a question or was silent, and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no answer came")]
pub struct Unanswered(#[source] Arc<dyn Error + Send + Sync>);

impl Unanswered {
    pub fn because(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

/// The answer, if it comes in time and is one.
pub async fn within<T, E>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Unanswered>
where
    E: Error + Send + Sync + 'static,
{
    match timeout(limit, answer).await {
        Ok(answered) => answered.map_err(Unanswered::because),
        Err(late) => Err(Unanswered::because(late)),
    }
}
