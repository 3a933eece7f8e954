//! Which events somebody wants to see.

use async_nats::HeaderValue;
use chrono::{DateTime, Utc};
use doran_contract::subject;
use doran_eventstore::{Recorded, envelope::CORRELATION_ID, subject_fits};

/// All of them have to hold.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Which events")]
pub(super) struct Filter {
    /// Only events whose subject fits; `*` stands for one token, `>` for the rest
    #[arg(long)]
    subject: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events of this user, room or session
    #[arg(long, value_name = "ID")]
    aggregate: Option<String>,
    /// Only what this user or program did
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only what followed from the request with this `X-Request-Id`
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// Only events of this time and later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Only events before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
}

impl Filter {
    /// What the server leaves out for us.
    pub(super) fn subjects(&self) -> String {
        let of_type = || self.event_type.as_deref().and_then(subject::every);
        self.subject
            .clone()
            .or_else(of_type)
            .unwrap_or_else(|| ">".to_owned())
    }

    /// No event stored before it is wanted.
    pub(super) fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }

    /// No event of this time or later is wanted.
    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    pub(super) fn fits(&self, event: &Recorded) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        let correlation = event.headers.get(CORRELATION_ID);
        is(&self.event_type, Some(&event.event_type))
            && is(&self.actor, event.actor.as_deref())
            && is(&self.correlation, correlation.map(HeaderValue::as_str))
            && self.is_of_aggregate(event)
            && self.is_of_subject(event)
            && self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
    }

    fn is_of_subject(&self, event: &Recorded) -> bool {
        let filter = self.subject.as_deref();
        filter.is_none_or(|filter| subject_fits(&event.subject, filter))
    }

    fn is_of_aggregate(&self, event: &Recorded) -> bool {
        let mut tokens = event.subject.split('.');
        self.aggregate
            .as_deref()
            .is_none_or(|id| tokens.any(|token| token == id))
    }
}
