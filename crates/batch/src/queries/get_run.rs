//! `GET /api/batch/runs/{id}`: one run, and how far it is.

use axum::extract::State;
use doran_contract::{RunId, job::Run};
use doran_platform::http::{Admin, Id, Refusal, Success, UpToDate};

use super::run_row::find_run;
use crate::state::Service;

pub(crate) async fn get_run(
    State(service): State<Service>,
    _: Admin,
    Id(run): Id<RunId>,
    _: UpToDate,
) -> Result<Success<Run>, Refusal> {
    let run = find_run(&service.pool, run).await?;
    let run = run.ok_or_else(|| Refusal::not_found("run"))?;
    Ok(Success::ok(run))
}
