//! `GET /api/batch/runs`: runs of all jobs or of one, newest first.

use axum::extract::State;
use doran_contract::{Page, job::Run};
use doran_platform::http::{Admin, Limit, Query, Refusal, Success, UpToDate, unless_empty};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::PgPool;

use super::run_row::{RunRow, run_columns};
use crate::state::Service;

const RUNS: &str = concat!(
    "select ",
    run_columns!(),
    " from runs
    where ($1::text is null or job = $1)
        and ($2::bigint is null or started_sequence < $2)
    order by started_sequence desc
    limit $3"
);

#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "unless_empty")]
    job: Option<String>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended.
    cursor: Option<i64>,
}

pub(crate) async fn list_runs(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Run>>, Refusal> {
    let limit = request.limit.get();
    let job = request.job.as_deref();
    let mut rows = read(&service.pool, job, request.cursor, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more);
    Ok(Success::ok(Page {
        next_cursor: last.map(|row| row.started_sequence.to_string()),
        items: rows.into_iter().map(Run::from).collect(),
    }))
}

/// The newest runs of one job, or of all.
pub(crate) async fn newest_of(
    pool: &PgPool,
    job: Option<&str>,
    limit: i64,
) -> Result<Vec<Run>, sqlx::Error> {
    let rows = read(pool, job, None, limit).await?;
    Ok(rows.into_iter().map(Run::from).collect())
}

async fn read(
    pool: &PgPool,
    job: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<RunRow>, sqlx::Error> {
    let runs = sqlx::query_as(RUNS).bind(job).bind(before).bind(limit);
    runs.fetch_all(pool).await
}
