//! What every handler and every job has at hand.

use axum::extract::FromRef;
use doran_eventstore::{JetStreamStore, LoadError};
use doran_platform::Platform;
use doran_projection::Positions;
use sqlx::PgPool;

use crate::{job::Job, jobs::Definition, schedule::Plan};

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) jobs: JetStreamStore<Job>,
    pub(crate) pool: PgPool,
    pub(crate) positions: Positions,
}

impl Service {
    pub(crate) fn new(platform: Platform, pool: PgPool, positions: Positions) -> Self {
        Self {
            jobs: JetStreamStore::new(platform.js.clone()),
            platform,
            pool,
            positions,
        }
    }

    /// When the job is due: as somebody decided, else as its release has it.
    pub(crate) async fn plan(&self, job: &Definition) -> Result<Plan, LoadError> {
        let loaded = self.jobs.load(job.name).await?;
        let changed = loaded.and_then(|loaded| loaded.aggregate.plan().cloned());
        Ok(changed.unwrap_or_else(|| job.plan()))
    }
}

impl FromRef<Service> for Platform {
    fn from_ref(service: &Service) -> Self {
        service.platform.clone()
    }
}

impl FromRef<Service> for Positions {
    fn from_ref(service: &Service) -> Self {
        service.positions.clone()
    }
}
