//! Runs as the table has them.

use doran_contract::{
    RunId,
    job::{Figures, Run, RunState},
};
use sqlx::{
    FromRow, PgPool,
    types::{
        Json, Uuid,
        chrono::{DateTime, NaiveDate, Utc},
    },
};

macro_rules! run_columns {
    () => {
        "id, job, to_jsonb(state) as state, dry_run, date, figures, error, started_sequence, \
         started_at, finished_at"
    };
}
pub(super) use run_columns;

#[derive(FromRow)]
pub(super) struct RunRow {
    id: Uuid,
    job: String,
    state: Json<RunState>,
    dry_run: bool,
    date: NaiveDate,
    figures: Json<Figures>,
    error: Option<String>,
    pub(super) started_sequence: i64,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        Self {
            id: RunId::new(row.id),
            job: row.job,
            state: row.state.0,
            dry_run: row.dry_run,
            date: row.date.into(),
            started_at: row.started_at.into(),
            finished_at: row.finished_at.map(Into::into),
            figures: row.figures.0,
            error: row.error,
        }
    }
}

const ONE: &str = concat!("select ", run_columns!(), " from runs where id = $1");

pub(crate) async fn find_run(pool: &PgPool, run: RunId) -> Result<Option<Run>, sqlx::Error> {
    let row: Option<RunRow> = sqlx::query_as(ONE)
        .bind(run.as_uuid())
        .fetch_optional(pool)
        .await?;
    Ok(row.map(Run::from))
}

const NEWEST: &str = concat!(
    "select distinct on (job) ",
    run_columns!(),
    " from runs order by job, started_sequence desc"
);

/// The newest run of each job.
pub(crate) async fn newest_runs(pool: &PgPool) -> Result<Vec<Run>, sqlx::Error> {
    let rows: Vec<RunRow> = sqlx::query_as(NEWEST).fetch_all(pool).await?;
    Ok(rows.into_iter().map(Run::from).collect())
}
