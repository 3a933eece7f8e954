//! Whether a service's tables are what its log makes of them: they are built once more beside the
//! ones in use, compared, and dropped.
//!
//! The job `projection-audit` asks for it over NATS; each service looks at its own schema, because
//! nobody else may.

use std::{sync::Arc, time::Duration};

use doran_contract::{
    ErrorCode,
    upkeep::{AuditReadModels, Audited, audit_read_models},
};
use doran_eventstore::{LogReader, Position, ReadError};
use doran_projection::{
    Service, SetupError, Status, Tasks,
    rebuild::{CompareError, Rebuild},
};
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::{
    Platform, ReadSide,
    database::{self, DatabaseError},
    http::Refusal,
    remote,
};

/// Events that one transaction takes: nobody waits for what is built.
const BATCH: usize = 5000;
/// Between two looks at whether it halted.
const GLANCE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
enum AuditError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the schema to compare with cannot be made or dropped")]
    Schema(#[from] sqlx::Error),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error("{0}")]
    Halted(String),
    #[error(transparent)]
    Compare(#[from] CompareError),
}

/// Answers `command.<service>.AuditReadModels` until the process stops, one at a time.
pub async fn offer(
    platform: &Platform,
    service: &'static str,
    read_side: ReadSide,
) -> Result<(), async_nats::Error> {
    let (auditing, turn) = (platform.clone(), Arc::new(Semaphore::new(1)));
    let execute = move |AuditReadModels {}| {
        let (platform, read_side) = (auditing.clone(), read_side.clone());
        let turn = Arc::clone(&turn).try_acquire_owned();
        async move {
            let _turn = turn.map_err(|_taken| {
                Refusal::new(ErrorCode::Conflict, "an audit of these tables is under way")
            })?;
            let audited = Audit::open(&platform, &read_side)?.run().await;
            audited.map_err(|error| Refusal::internal(&error))
        }
    };
    remote::offer(platform, service, audit_read_models(service), execute).await
}

struct Audit<'a> {
    platform: &'a Platform,
    read_side: &'a ReadSide,
    rebuild: Rebuild,
}

impl<'a> Audit<'a> {
    fn open(platform: &'a Platform, read_side: &'a ReadSide) -> Result<Self, Refusal> {
        let live = read_side.schema;
        let pool = database::pool(&platform.config, live);
        let pool = pool.map_err(|error| Refusal::internal(&error))?;
        Ok(Self {
            platform,
            read_side,
            rebuild: Rebuild::new(pool, live).called(&format!("{live}_audit")),
        })
    }

    /// Leaves nothing behind, whatever comes of it; what a killed one left is dropped first.
    async fn run(&self) -> Result<Audited, AuditError> {
        self.rebuild.abort().await?;
        let schema = self.rebuild.next();
        let owner = self.rebuild.owner().await?;
        let pool = database::pool_as(&self.platform.config, schema, owner.as_deref())?;
        let audited = self.compare(&pool).await;
        pool.close().await;
        self.rebuild.abort().await?;
        audited
    }

    async fn compare(&self, pool: &PgPool) -> Result<Audited, AuditError> {
        let schema = self.rebuild.next();
        self.rebuild.create_next().await?;
        self.read_side.migrate(pool, schema).await?;
        let builder = self.read_side.builder(self.platform, pool.clone(), schema);
        let service = builder.batch_size(BATCH).build()?;
        let tasks = Tasks {
            cancel: self.platform.lifecycle.stopping().child_token(),
            ..Tasks::default()
        };
        service.run(&tasks);
        let compared = self.fill_and_compare(&service).await;
        tasks.cancel.cancel();
        tasks.tracker.close();
        tasks.tracker.wait().await;
        compared
    }

    async fn fill_and_compare(&self, service: &Service) -> Result<Audited, AuditError> {
        let heads = self.heads().await?;
        while service.positions().wait(&heads, GLANCE).await.is_err() {
            if let Some(halt) = service.status().iter().find_map(Status::halted) {
                return Err(AuditError::Halted(halt.to_string()));
            }
        }
        let compared = self.rebuild.compare(service).await?;
        let differing = compared.iter().filter(|table| !table.is_equal);
        let name = |table: &doran_projection::rebuild::Comparison| {
            format!("{}.{}", table.read_model, table.table)
        };
        Ok(Audited {
            tables: compared.len() as u64,
            rows: compared.iter().map(|table| table.live_rows).sum(),
            differing: differing.map(name).collect(),
        })
    }

    async fn heads(&self) -> Result<Vec<Position>, ReadError> {
        let mut heads: Vec<Position> = Vec::new();
        for read_model in self.read_side.read_models() {
            let stream = read_model.stream();
            if heads.iter().all(|known| known.stream != stream) {
                let reader = LogReader::new(self.platform.js.clone(), stream);
                heads.push(Position::new(stream, reader.head().await?));
            }
        }
        Ok(heads)
    }
}
