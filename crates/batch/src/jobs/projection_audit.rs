//! `projection-audit`: every service builds its tables once more and compares them with those in
//! use. What differs is a figure, a line in the log, and an alarm.
//!
//! Metrics: `batch_audit_differences{service}`.

use std::time::Duration;

use anyhow::{Context, Result};
use doran_contract::{
    ErrorCode,
    upkeep::{AuditReadModels, Audited, audit_read_models},
};
use doran_platform::{
    Platform,
    remote::{AskError, ask},
};
use futures_util::{
    FutureExt, StreamExt,
    future::ready,
    stream::{self, FuturesUnordered},
};
use tokio::time::timeout;

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
/// An instance that died with the question does not answer; the next one takes it up.
const ASK_AGAIN: Duration = Duration::from_secs(5);

async fn work(service: &Service, run: &Run) -> Result<()> {
    for figure in ["tables", "rows", "differing"] {
        run.begin_count(figure);
    }
    for owner in SERVICES {
        if run.is_dry {
            run.count("services", 1).await;
            continue;
        }
        let audited = timeout(PATIENCE, audited(&service.platform, owner)).await;
        let audited = audited.with_context(|| format!("auditing {owner}"))?;
        let audited = audited.with_context(|| format!("auditing {owner}"))?;
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

/// Asks until an instance has done it. One that is at work, for this run or another one, says so to
/// whoever asks meanwhile.
async fn audited(platform: &Platform, owner: &str) -> Result<Audited, AskError> {
    let subject = audit_read_models(owner);
    let mut asked = FuturesUnordered::new();
    loop {
        asked.push(ask(platform, &subject, &AuditReadModels {}, PATIENCE));
        let answers = asked.by_ref().filter(|answer| ready(!is_under_way(answer)));
        let mut answers = answers.chain(stream::pending());
        if let Ok(Some(answer)) = timeout(ASK_AGAIN, answers.next()).await {
            return answer;
        }
    }
}

fn is_under_way(answer: &Result<Audited, AskError>) -> bool {
    let Err(AskError::Refused { code, .. }) = answer else {
        return false;
    };
    *code == ErrorCode::Conflict
}
