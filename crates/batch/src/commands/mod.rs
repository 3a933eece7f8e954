//! Commands on jobs, one file each.

pub(crate) mod change_job;
pub(crate) mod start_run;

use doran_platform::http::Refusal;

use crate::jobs::{self, Definition};

/// `ce-source` of this service's events.
pub(crate) const SOURCE: &str = "batch";

/// The job that a path names.
fn named(name: &str) -> Result<&'static Definition, Refusal> {
    jobs::find(name).ok_or_else(|| Refusal::not_found("job"))
}
