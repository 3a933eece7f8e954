//! `GET /api/batch/runs`: runs of all jobs or of one, newest first.

use axum::extract::State;
use doran_contract::{Page, job::Run};
use doran_platform::http::{Admin, Limit, Query, Refusal, Success, UpToDate, unless_empty};
use garde::Validate;
use serde::Deserialize;

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

#[derive(Deserialize, Validate)]
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
    let mut rows: Vec<RunRow> = sqlx::query_as(RUNS)
        .bind(request.job)
        .bind(request.cursor)
        .bind(limit + 1)
        .fetch_all(&service.pool)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more);
    Ok(Success::ok(Page {
        next_cursor: last.map(|row| row.started_sequence.to_string()),
        items: rows.into_iter().map(Run::from).collect(),
    }))
}
