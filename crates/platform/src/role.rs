//! What a role hands to whoever runs it.

use axum::{Router, middleware::from_fn_with_state};

use crate::{
    Platform,
    http::{Probe, repetition},
};

/// A started role: its routes under `/api`, and what it depends on.
pub struct Role {
    pub routes: Router,
    pub probes: Vec<Probe>,
}

impl Role {
    /// Its routes answer a repeated command as they did the first time.
    pub fn new(platform: &Platform, routes: Router, probes: Vec<Probe>) -> Self {
        let repetition = from_fn_with_state(platform.clone(), repetition);
        Self {
            routes: routes.route_layer(repetition),
            probes,
        }
    }
}
