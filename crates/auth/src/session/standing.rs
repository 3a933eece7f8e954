//! Which sessions of a person stand, folded from the log and held in memory.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, Utc};
use doran_contract::{
    SessionId, Timestamp, UserId,
    events::{SESSION_EVENTS, SessionEvent},
    subject::SESSION_STREAM,
};
use doran_eventstore::{Logs, Recorded};
use doran_platform::{Lifecycle, event_schema};
use doran_projection::memory::{CatchUpError, Fold, FoldError, MemoryModel, Start, StartError};

/// How long the list may take to hold every log-in there was.
const PATIENCE: Duration = Duration::from_secs(2);

/// Each session with the time until which it stands if nobody uses it.
#[derive(Debug, Default)]
struct ByUser(HashMap<UserId, BTreeMap<SessionId, Timestamp>>);

impl Fold for ByUser {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        match event.decode::<SessionEvent>(&event_schema(SESSION_EVENTS))? {
            SessionEvent::SessionStarted(started) => {
                let sessions = self.0.entry(started.user_id).or_default();
                sessions.retain(|_, expires_at| expires_at.as_datetime() > event.time);
                sessions.insert(started.session_id, started.expires_at);
            }
            SessionEvent::SessionRefreshed(refreshed) => {
                let sessions = self.0.entry(refreshed.user_id).or_default();
                sessions.insert(refreshed.session_id, refreshed.expires_at);
            }
            SessionEvent::SessionRevoked(revoked) => {
                self.remove(revoked.user_id, revoked.session_id);
            }
            SessionEvent::SessionForgotten(forgotten) => {
                self.remove(forgotten.user_id, forgotten.session_id);
            }
        }
        Ok(())
    }
}

/// The sessions that stand, kept fresh by the log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct StandingSessions(MemoryModel<ByUser>);

impl StandingSessions {
    pub(crate) async fn start(logs: &Logs, lifecycle: &Lifecycle) -> Result<Self, StartError> {
        MemoryModel::start(
            logs.clone(),
            SESSION_STREAM,
            &["session.*.*"],
            Start::First,
            ByUser::default(),
            lifecycle.into(),
        )
        .await
        .map(Self)
    }

    /// The sessions of a person: all that the log holds when this is asked.
    pub(crate) async fn of(
        &self,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Vec<SessionId>, CatchUpError> {
        self.0.catch_up("session.*.*", PATIENCE).await?;
        Ok(self.0.read(|all| all.standing(user, now)))
    }
}

impl ByUser {
    fn remove(&mut self, user: UserId, session: SessionId) {
        if let Some(sessions) = self.0.get_mut(&user) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.0.remove(&user);
            }
        }
    }

    fn standing(&self, user: UserId, now: DateTime<Utc>) -> Vec<SessionId> {
        let sessions = self.0.get(&user).into_iter().flatten();
        let standing = sessions.filter(|(_, expires_at)| expires_at.as_datetime() > now);
        standing.map(|(session, _)| *session).collect()
    }
}
