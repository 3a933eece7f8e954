//! The URLs of the batch service.

use doran_contract::{Page, job::Report};
use doran_platform::http::{Routes, get, patch, post};

use crate::{
    commands::{change_job::change_job, start_run::start_run},
    queries::{
        get_report::get_report, get_run::get_run, health::health, list_archives::list_archives,
        list_jobs::list_jobs, list_reports::list_reports, list_runs::list_runs,
    },
    state::Service,
};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new()
        .route("/api/batch/health", get(health))
        .route("/api/batch/jobs", get(list_jobs))
        .route("/api/batch/jobs/{name}", patch(change_job))
        .route("/api/batch/jobs/{name}/runs", post(start_run).creates())
        .route("/api/batch/runs", get(list_runs))
        .route("/api/batch/runs/{id}", get(get_run))
        .route(
            "/api/batch/reports",
            get(list_reports)
                .answers::<Page<Report>>()
                .gives("text/csv")
                .gives("text/html"),
        )
        .route(
            "/api/batch/reports/{date}",
            get(get_report)
                .answers::<Report>()
                .gives("text/csv")
                .gives("text/html"),
        )
        .route("/api/batch/archives", get(list_archives))
}
