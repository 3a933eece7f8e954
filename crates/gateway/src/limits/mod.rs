//! Rate limits: how often one user, or one address, may ask for what.
//!
//! All gateways share one account in Redis. While it is away each keeps a stricter one of its own,
//! and asks nobody, so that a dead Redis costs no time.

mod bucket;
mod local;
mod shared;
mod subject;

use std::{sync::Arc, time::Duration};

use doran_platform::{Config, redis::Redis};

pub(crate) use self::{
    bucket::Verdict,
    subject::{Group, Subject, household},
};
use self::{local::Local, shared::Shared};

#[derive(Clone)]
pub(crate) struct Limits(Option<Arc<Accounts>>);

struct Accounts {
    shared: Shared,
    local: Local,
}

impl Limits {
    pub(crate) fn new(config: &Config, redis: Redis) -> Self {
        if config.no_limits {
            tracing::warn!("rate limits are off");
            return Self(None);
        }
        Self(Some(Arc::new(Accounts {
            shared: Shared(redis),
            local: Local::default(),
        })))
    }

    pub(crate) fn are_off(&self) -> bool {
        self.0.is_none()
    }

    /// Counts one request.
    pub(crate) async fn check(&self, group: Group, subject: Subject) -> Verdict {
        let Some(accounts) = &self.0 else {
            return Verdict::unlimited();
        };
        let verdict = match accounts.shared.check(group, subject).await {
            Some(verdict) => verdict,
            None => accounts.local.check(group, subject),
        };
        let outcome = match verdict.retry_after {
            None => "allowed",
            Some(_) => "refused",
        };
        metrics::counter!("gateway_limit_decisions_total", "group" => group.name(), "outcome" => outcome)
            .increment(1);
        verdict
    }

    /// Counts one request; how long to wait if it is one too many.
    pub(crate) async fn wait_before(&self, group: Group, subject: Subject) -> Option<Duration> {
        if self.are_off() {
            return None;
        }
        self.check(group, subject).await.retry_after
    }
}
