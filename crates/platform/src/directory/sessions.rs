//! Sessions that ended before their access tokens do.

use std::{collections::HashMap, time::Duration};

use doran_contract::{
    SessionId,
    events::{SESSION_EVENTS, SessionEvent},
    session::Revocation,
    subject::SESSION_STREAM,
};
use doran_eventstore::{Logs, Recorded};
use doran_projection::memory::{Fold, FoldError, MemoryModel, Start, StartError};

use crate::{Clock, Lifecycle, event_schema};

/// Added to the life of an access token, for clocks that differ.
const LEEWAY: Duration = Duration::from_mins(2);

#[derive(Debug, Default)]
struct Revoked(HashMap<SessionId, Revocation>);

impl Fold for Revoked {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        match event.decode::<SessionEvent>(&event_schema(SESSION_EVENTS))? {
            SessionEvent::SessionRevoked(revoked) => {
                self.0.insert(revoked.session_id, revoked.reason);
            }
            SessionEvent::SessionStarted(_)
            | SessionEvent::SessionRefreshed(_)
            | SessionEvent::SessionForgotten(_) => {}
        }
        Ok(())
    }
}

/// Revoked sessions, kept fresh by the log. Cheap to clone.
///
/// It reads back no further than an access token lives: older revocations concern no token
/// that could still be valid.
#[derive(Clone)]
pub struct Sessions(MemoryModel<Revoked>);

impl Sessions {
    pub async fn start(
        logs: &Logs,
        lifecycle: &Lifecycle,
        clock: &Clock,
        token_life: Duration,
    ) -> Result<Self, StartError> {
        MemoryModel::start(
            logs.clone(),
            SESSION_STREAM,
            &["session.*.SessionRevoked"],
            Start::At(clock.now() - token_life - LEEWAY),
            Revoked::default(),
            lifecycle.into(),
        )
        .await
        .map(Self)
    }

    /// Why the session ended before its time; none if it did not.
    pub fn revocation(&self, session: SessionId) -> Option<Revocation> {
        self.0.read(|revoked| revoked.0.get(&session).copied())
    }

    pub fn model(&self) -> &MemoryModel<impl Fold + use<>> {
        &self.0
    }
}
