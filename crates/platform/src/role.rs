//! What a role hands to whoever runs it.

use axum::Router;

use crate::http::Probe;

/// A started role: its routes under `/api`, and what it depends on.
pub struct Role {
    pub routes: Router,
    pub probes: Vec<Probe>,
}
