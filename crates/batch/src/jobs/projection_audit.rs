//! `projection-audit`: every service builds its tables once more and compares them with those in
//! use. What differs is a figure, a line in the log, and an alarm.
//!
//! Metrics: `batch_audit_differences{service}`.

use std::time::Duration;

use anyhow::{Context, Result};
use doran_contract::upkeep::{AuditReadModels, Audited, audit_read_models};
use doran_platform::remote::ask;
use futures_util::FutureExt;

use super::Definition;
use crate::{run::Run, state::Service};

pub(crate) const JOB: Definition = Definition {
    name: "projection-audit",
    description: "Builds every service's tables anew beside the ones in use and compares them",
    schedule: "0 0 2 * * SUN",
    work: |service, run| work(service, run).boxed(),
};

/// Who has tables.
const SERVICES: [&str; 5] = ["auth", "user", "chat", "store", "batch"];
/// A rebuild takes about a minute for twenty million events.
const PATIENCE: Duration = Duration::from_mins(30);

async fn work(service: &Service, run: &Run) -> Result<()> {
    for figure in ["tables", "rows", "differing"] {
        run.begin_count(figure);
    }
    for owner in SERVICES {
        if run.is_dry {
            run.count("services", 1).await;
            continue;
        }
        let subject = audit_read_models(owner);
        let audited = ask(&service.platform, &subject, &AuditReadModels {}, PATIENCE).await;
        let audited: Audited = audited.with_context(|| format!("auditing {owner}"))?;
        let differing = audited.differing.len() as u64;
        #[expect(clippy::cast_precision_loss, reason = "a count of tables")]
        metrics::gauge!("batch_audit_differences", "service" => owner).set(differing as f64);
        if differing > 0 {
            let tables = audited.differing.join(", ");
            tracing::error!(
                service = owner,
                tables,
                "tables are not what the log makes of them"
            );
        }
        run.count("services", 1).await;
        run.count("tables", audited.tables).await;
        run.count("rows", audited.rows).await;
        run.count("differing", differing).await;
    }
    Ok(())
}
