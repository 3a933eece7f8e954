//! Whether a service's tables are what its log makes of them: they are built once more beside the
//! ones in use, compared, and dropped.
//!
//! The job `projection-audit` asks for it over NATS; each service looks at its own schema, because
//! nobody else may.

use std::time::Duration;

use doran_contract::{
    ErrorCode,
    upkeep::{AuditReadModels, Audited, audit_read_models},
};
use doran_eventstore::{LogReader, Position, ReadError};
use doran_projection::{
    Service, SetupError, Status, Tasks,
    rebuild::{CompareError, Rebuild},
};
use sqlx::{Connection, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

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
    #[error("the process stops")]
    Stopping,
    #[error(transparent)]
    Compare(#[from] CompareError),
}

/// Answers `command.<service>.AuditReadModels` until the process stops; of all instances one at a
/// time has an audit under way, and the others say so.
pub async fn offer(
    platform: &Platform,
    service: &'static str,
    read_side: ReadSide,
) -> Result<(), async_nats::Error> {
    let auditing = platform.clone();
    let execute = move |AuditReadModels {}| {
        let (platform, read_side) = (auditing.clone(), read_side.clone());
        async move {
            let audit = Audit::open(&platform, &read_side)?;
            let audited = audit.run().await;
            audited
                .map_err(|error| Refusal::internal(&error))?
                .ok_or_else(|| {
                    Refusal::new(ErrorCode::Conflict, "an audit of these tables is under way")
                })
        }
    };
    remote::offer(platform, service, audit_read_models(service), execute).await
}

struct Audit<'a> {
    platform: &'a Platform,
    read_side: &'a ReadSide,
    pool: PgPool,
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
            pool: pool.clone(),
            rebuild: Rebuild::new(pool, live).called(&format!("{live}_audit")),
        })
    }

    /// None while another audit of the schema is under way.
    async fn run(&self) -> Result<Option<Audited>, AuditError> {
        let Some(turn) = self.turn().await? else {
            return Ok(None);
        };
        let audited = self.build_and_compare().await;
        turn.close().await?;
        audited.map(Some)
    }

    /// Held as long as the connection lives: that of a killed process is there for the next one.
    async fn turn(&self) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut turn = self.pool.acquire().await?.detach();
        let taken = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))");
        let lock = format!("audit:{}", self.rebuild.next());
        let is_ours: bool = taken.bind(lock).fetch_one(&mut turn).await?;
        Ok(is_ours.then_some(turn))
    }

    /// Leaves nothing behind, whatever comes of it; what a killed one left is dropped first.
    async fn build_and_compare(&self) -> Result<Audited, AuditError> {
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
        let compared = self.fill_and_compare(&service, &tasks.cancel).await;
        tasks.cancel.cancel();
        tasks.tracker.close();
        tasks.tracker.wait().await;
        compared
    }

    async fn fill_and_compare(
        &self,
        service: &Service,
        stopping: &CancellationToken,
    ) -> Result<Audited, AuditError> {
        let heads = self.heads().await?;
        while service.positions().wait(&heads, GLANCE).await.is_err() {
            if let Some(halt) = service.status().iter().find_map(Status::halted) {
                return Err(AuditError::Halted(halt.to_string()));
            }
            if stopping.is_cancelled() {
                return Err(AuditError::Stopping);
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
