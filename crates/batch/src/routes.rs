//! The URLs of the batch service.

use axum::{
    Router,
    routing::{get, patch, post},
};

use crate::{
    commands::{change_job::change_job, start_run::start_run},
    queries::{
        get_report::get_report, get_run::get_run, health::health, list_archives::list_archives,
        list_jobs::list_jobs, list_reports::list_reports, list_runs::list_runs,
    },
    state::Service,
};

pub(crate) fn routes(service: Service) -> Router {
    Router::new()
        .route("/api/batch/health", get(health))
        .route("/api/batch/jobs", get(list_jobs))
        .route("/api/batch/jobs/{name}", patch(change_job))
        .route("/api/batch/jobs/{name}/runs", post(start_run))
        .route("/api/batch/runs", get(list_runs))
        .route("/api/batch/runs/{id}", get(get_run))
        .route("/api/batch/reports", get(list_reports))
        .route("/api/batch/reports/{date}", get(get_report))
        .route("/api/batch/archives", get(list_archives))
        .with_state(service)
}
