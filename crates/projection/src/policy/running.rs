//! A running policy as its process sees it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Declaration;

/// A policy that runs in this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Running(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    declaration: Declaration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why no event is handled at the moment.
    stopped: Option<String>,
    parked: BTreeSet<String>,
}

impl Running {
    pub(super) fn new(declaration: Declaration) -> Self {
        let state = State {
            stopped: Some("it is starting".to_owned()),
            ..State::default()
        };
        Self(Arc::new(Shared {
            declaration,
            state: Mutex::new(state),
        }))
    }

    pub fn declaration(&self) -> Declaration {
        self.0.declaration
    }

    /// Whether events are handled here and none of them is parked.
    pub fn health(&self) -> Result<(), String> {
        let state = self.state();
        match &state.stopped {
            Some(reason) => Err(reason.clone()),
            None if state.parked.is_empty() => Ok(()),
            None => Err(format!(
                "{} aggregates are parked; `doran policies parked` says why",
                state.parked.len()
            )),
        }
    }

    pub(super) fn set_stopped(&self, reason: Option<String>) {
        self.state().stopped = reason;
    }

    pub(super) fn is_parked(&self, aggregate: &str) -> bool {
        self.state().parked.contains(aggregate)
    }

    pub(super) fn set_parked(&self, aggregate: String, is_parked: bool) {
        let mut state = self.state();
        if is_parked {
            state.parked.insert(aggregate);
        } else {
            state.parked.remove(&aggregate);
        }
    }

    pub(super) fn parked(&self) -> usize {
        self.state().parked.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
