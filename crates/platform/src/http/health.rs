//! Whether the process lives, and whether what it depends on answers.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(1);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Asks one dependency whether it answers.
#[derive(Clone)]
pub struct Probe {
    name: &'static str,
    /// Whether the role is of no use without it.
    is_essential: bool,
    check: Check,
}

impl Probe {
    pub fn essential<F, R>(name: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            name,
            is_essential: true,
            check: Arc::new(move || Box::pin(check())),
        }
    }

    /// Part of the role works without it: its absence is shown, and the role stays ready.
    pub fn optional<F, R>(name: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            is_essential: false,
            ..Self::essential(name, check)
        }
    }
}

/// Probes of the roles in this process.
#[derive(Clone, Default)]
pub struct Health {
    probes: Vec<Probe>,
}

impl Health {
    #[must_use]
    pub fn with(mut self, probe: Probe) -> Self {
        self.probes.push(probe);
        self
    }

    /// `/health/live` and `/health/ready`.
    pub fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new()
            .route(
                "/health/live",
                get(async || Json(json!({ "status": "UP" }))),
            )
            .route("/health/ready", get(async move || self.ready().await))
    }

    /// Asks every dependency.
    pub async fn report(&self) -> Report {
        let states = join_all(self.probes.iter().map(ask)).await;
        for (probe, state) in &states {
            let is_up = if state.is_ok() { 1.0 } else { 0.0 };
            metrics::gauge!("dependency_up", "dependency" => probe.name).set(is_up);
        }
        let essential_down = states
            .iter()
            .any(|(probe, state)| probe.is_essential && state.is_err());
        let any_down = states.iter().any(|(_, state)| state.is_err());
        let status = match (essential_down, any_down) {
            (true, _) => "DOWN",
            (false, true) => "DEGRADED",
            (false, false) => "UP",
        };
        Report {
            status,
            is_ready: !essential_down,
            dependencies: states
                .into_iter()
                .map(|(probe, state)| (probe.name, state))
                .collect(),
        }
    }

    async fn ready(&self) -> impl IntoResponse + use<> {
        let report = self.report().await;
        let dependencies: Map<String, Value> = report
            .dependencies
            .iter()
            .map(|(name, state)| match state {
                Ok(()) => ((*name).to_owned(), json!({ "state": "UP" })),
                Err(reason) => (
                    (*name).to_owned(),
                    json!({ "state": "DOWN", "reason": reason }),
                ),
            })
            .collect();
        let body = json!({ "status": report.status, "dependencies": dependencies });
        (report.http_status(), Json(body))
    }
}

/// What the probes found.
#[derive(Clone, Debug)]
pub struct Report {
    /// `UP`, `DEGRADED` while something optional is away, or `DOWN`.
    pub status: &'static str,
    pub is_ready: bool,
    /// Each dependency, with the reason where it does not answer.
    pub dependencies: Vec<(&'static str, Result<(), String>)>,
}

impl Report {
    pub fn http_status(&self) -> StatusCode {
        if self.is_ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn ask(probe: &Probe) -> (&Probe, Result<(), String>) {
    let state = match timeout(PATIENCE, (probe.check)()).await {
        Ok(state) => state,
        Err(_) => Err("no answer within a second".to_owned()),
    };
    (probe, state)
}
