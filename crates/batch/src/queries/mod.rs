//! Questions about jobs, their runs and reports, one file each.

mod form;
pub(crate) mod get_report;
pub(crate) mod get_run;
pub(crate) mod health;
pub(crate) mod list_archives;
pub(crate) mod list_jobs;
pub(crate) mod list_reports;
pub(crate) mod list_runs;
mod run_row;

pub(crate) use list_jobs::planned;
pub(crate) use list_runs::newest_of;
pub(crate) use run_row::{find_run, newest_runs};
