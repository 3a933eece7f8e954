//! What may happen to a session, decided without clock, randomness or I/O.

use chrono::TimeDelta;
use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    Sealed, SessionId, Timestamp, UserId,
    events::{
        SESSION_EVENTS, SessionEvent, SessionForgotten, SessionRefreshed, SessionRevoked,
        SessionStarted,
    },
    session::Revocation,
    subject::{SESSION, SESSION_STREAM},
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::Error;

/// How long a token that was used counts on: its answer may have been lost, or two tabs used it.
const GRACE: TimeDelta = TimeDelta::seconds(10);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Session {
    #[default]
    Unknown,
    Standing(Standing),
    Ended(UserId),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    session_id: SessionId,
    user_id: UserId,
    /// Hashes of the tokens that count. More than one after a grace: either answer may have
    /// arrived.
    valid: Vec<String>,
    /// Tokens that were used, for as long as the grace lasts.
    used: Vec<Used>,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Used {
    hash: String,
    at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Start(Start),
    /// Gives a new token for the one with this hash.
    Refresh {
        presented: String,
        renewal: Renewal,
    },
    /// Gives a new token to somebody who proved the password again.
    Reissue(Renewal),
    Revoke(Revocation),
    /// It ended before that time, and is forgotten; one that stands stays.
    Forget {
        session_id: SessionId,
        ended_before: Timestamp,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) device: Option<Sealed>,
    pub(crate) renewal: Renewal,
}

/// A new token, when it is given, and until when the session stands if it is not used.
#[derive(Clone, Debug)]
pub(crate) struct Renewal {
    pub(crate) token_hash: String,
    pub(crate) at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Session {
    /// Whose it is.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Unknown => None,
            Self::Standing(standing) => Some(standing.user_id),
            Self::Ended(user) => Some(*user),
        }
    }

    /// When it was last refreshed; none if it does not stand.
    pub(crate) fn last_seen_at(&self) -> Option<Timestamp> {
        match self {
            Self::Standing(standing) => Some(standing.last_seen_at),
            Self::Unknown | Self::Ended(_) => None,
        }
    }

    fn decide(&self, command: Command) -> Result<Option<SessionEvent>, Error> {
        match command {
            Command::Start(start) => self.decide_start(start).map(Some),
            Command::Refresh { presented, renewal } => self
                .standing()?
                .decide_refresh(presented, renewal)
                .map(Some),
            Command::Reissue(renewal) => self.standing()?.decide_reissue(renewal).map(Some),
            Command::Revoke(reason) => self.decide_revoke(reason),
            Command::Forget {
                session_id,
                ended_before,
            } => self.decide_forget(session_id, ended_before),
        }
    }

    fn standing(&self) -> Result<&Standing, Error> {
        match self {
            Self::Standing(standing) => Ok(standing),
            Self::Unknown => Err(Error::NotFound),
            Self::Ended(_) => Err(Error::Ended),
        }
    }

    fn decide_start(&self, start: Start) -> Result<SessionEvent, Error> {
        match self {
            Self::Unknown => {}
            Self::Standing(_) | Self::Ended(_) => return Err(Error::AlreadyStarted),
        }
        let started = SessionStarted {
            session_id: start.session_id,
            user_id: start.user_id,
            device: start.device,
            refresh_token_hash: start.renewal.token_hash,
            started_at: start.renewal.at,
            expires_at: start.renewal.expires_at,
        };
        Ok(started.into())
    }

    fn decide_revoke(&self, reason: Revocation) -> Result<Option<SessionEvent>, Error> {
        match self {
            Self::Unknown => Err(Error::NotFound),
            Self::Standing(standing) => Ok(Some(standing.revoked(reason))),
            Self::Ended(_) => Ok(None),
        }
    }

    fn decide_forget(
        &self,
        session_id: SessionId,
        ended_before: Timestamp,
    ) -> Result<Option<SessionEvent>, Error> {
        let user_id = match self {
            Self::Unknown => return Err(Error::NotFound),
            Self::Standing(standing) if standing.expires_at >= ended_before => return Ok(None),
            Self::Standing(standing) => standing.user_id,
            Self::Ended(user_id) => *user_id,
        };
        let forgotten = SessionForgotten {
            session_id,
            user_id,
        };
        Ok(Some(forgotten.into()))
    }
}

impl Standing {
    /// A token that counts no longer means that two parties hold copies of it, and nobody can say
    /// which one is the thief: both have to log in again.
    fn decide_refresh(&self, presented: String, renewal: Renewal) -> Result<SessionEvent, Error> {
        self.refuse_expired(&renewal)?;
        if self.valid.contains(&presented) || self.is_in_grace(&presented, renewal.at) {
            Ok(self.refreshed(Some(presented), renewal))
        } else {
            Ok(self.revoked(Revocation::TokenReused))
        }
    }

    fn decide_reissue(&self, renewal: Renewal) -> Result<SessionEvent, Error> {
        self.refuse_expired(&renewal)?;
        Ok(self.refreshed(None, renewal))
    }

    fn refuse_expired(&self, renewal: &Renewal) -> Result<(), Error> {
        if renewal.at > self.expires_at {
            Err(Error::Expired)
        } else {
            Ok(())
        }
    }

    fn is_in_grace(&self, hash: &str, now: Timestamp) -> bool {
        self.used
            .iter()
            .any(|used| used.hash == hash && used.is_in_grace(now))
    }

    fn refreshed(&self, presented: Option<String>, renewal: Renewal) -> SessionEvent {
        SessionRefreshed {
            session_id: self.session_id,
            user_id: self.user_id,
            refresh_token_hash: renewal.token_hash,
            presented_token_hash: presented,
            refreshed_at: renewal.at,
            expires_at: renewal.expires_at,
        }
        .into()
    }

    fn revoked(&self, reason: Revocation) -> SessionEvent {
        SessionRevoked {
            session_id: self.session_id,
            user_id: self.user_id,
            reason,
        }
        .into()
    }

    fn started(started: SessionStarted) -> Self {
        Self {
            session_id: started.session_id,
            user_id: started.user_id,
            valid: vec![started.refresh_token_hash],
            used: Vec::new(),
            last_seen_at: started.started_at,
            expires_at: started.expires_at,
        }
    }

    /// The stream forgets by age: a session that is used for months begins with some refresh.
    fn resumed(refreshed: SessionRefreshed) -> Self {
        Self {
            session_id: refreshed.session_id,
            user_id: refreshed.user_id,
            valid: vec![refreshed.refresh_token_hash],
            used: Vec::new(),
            last_seen_at: refreshed.refreshed_at,
            expires_at: refreshed.expires_at,
        }
    }

    fn apply_refreshed(&mut self, refreshed: SessionRefreshed) {
        let at = refreshed.refreshed_at;
        self.used.retain(|used| used.is_in_grace(at));
        let was_valid = |hash: String| self.valid.contains(&hash);
        if refreshed.presented_token_hash.is_some_and(was_valid) {
            let used = self.valid.drain(..).map(|hash| Used { hash, at });
            self.used.extend(used);
        }
        self.valid.push(refreshed.refresh_token_hash);
        self.last_seen_at = at;
        self.expires_at = refreshed.expires_at;
    }
}

impl Used {
    fn is_in_grace(&self, now: Timestamp) -> bool {
        now.as_datetime() - self.at.as_datetime() <= GRACE
    }
}

impl Aggregate for Session {
    const TYPE: &'static str = SESSION;
    type Command = Command;
    type Event = SessionEvent;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::SessionStarted(started) => {
                *self = Self::Standing(Standing::started(started));
            }
            SessionEvent::SessionRefreshed(refreshed) => match self {
                Self::Standing(standing) => standing.apply_refreshed(refreshed),
                Self::Unknown => *self = Self::Standing(Standing::resumed(refreshed)),
                Self::Ended(_) => {}
            },
            SessionEvent::SessionRevoked(revoked) => *self = Self::Ended(revoked.user_id),
            SessionEvent::SessionForgotten(forgotten) => *self = Self::Ended(forgotten.user_id),
        }
    }
}

impl EventSourced for Session {
    const STREAM: &'static str = SESSION_STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        event_schema(SESSION_EVENTS)
    }

    /// Sessions claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::AlreadyStarted
    }
}
