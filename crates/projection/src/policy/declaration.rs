//! What a policy says about itself, and what follows from it: names and ids.

use std::time::Duration;

use chrono::{DateTime, Utc};
use doran_eventstore::{
    CommandContext, Recorded,
    envelope::{CORRELATION_ID, TRACEPARENT},
};
use uuid::Uuid;

/// A policy as the log knows it.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Whose it is; it writes its progress below this name. Without dots, as `name`.
    pub service: &'static str,
    pub name: &'static str,
    /// Raise it to have the events of [`Declaration::start`] handled by other rules.
    pub version: u32,
    pub stream: &'static str,
    /// Each ends in an event type. What is before it names the aggregate.
    pub filters: &'static [&'static str],
    pub start: Start,
}

/// With which events a version of a policy begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With those stored after the policy ran for the first time. A later version goes on where
    /// the one before it stood.
    New,
    /// With the first event of the stream, for each version.
    All,
}

/// How patient the runner is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// When the events of a process that fell silent go to another.
    pub ack_wait: Duration,
    /// Before an event that failed comes again; doubled each time, with jitter.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// An event that failed so often is parked.
    pub deliveries: usize,
    /// Events that are under way at once, in all processes.
    pub in_flight: usize,
}

impl Default for Timing {
    /// An event that fails again and again is parked after three to five minutes.
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(10),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
            deliveries: 12,
            in_flight: 256,
        }
    }
}

impl Declaration {
    /// The name of its durable consumer.
    pub fn consumer(&self) -> String {
        format!("{}-v{}", self.name, self.version)
    }

    /// The id of what follows from `event` for `target`, such as an aggregate's id.
    ///
    /// The same in every version, so that a new one does not do again what was done. The target
    /// and not a place in a list: the list may be another one at a redelivery.
    pub fn command_id(&self, event: &Recorded, target: &str) -> Uuid {
        let policy = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.name.as_bytes());
        let event_and_target = format!("{}:{target}", event.event_id);
        Uuid::new_v5(&policy, event_and_target.as_bytes())
    }

    /// The context of that command.
    pub fn context(&self, event: &Recorded, target: &str, now: DateTime<Utc>) -> CommandContext {
        let header = |name| {
            let value = event.headers.get(name);
            value.map(|value| value.as_str().to_owned())
        };
        CommandContext {
            command_id: self.command_id(event, target),
            time: now,
            actor: Some(self.name.to_owned()),
            fingerprint: None,
            expected_sequence: None,
            correlation_id: header(CORRELATION_ID),
            causation_id: Some(event.event_id.to_string()),
            traceparent: header(TRACEPARENT),
            source: self.service,
        }
    }

    /// The version of this policy that a consumer belongs to; none for a consumer of others.
    pub(super) fn version_of(&self, consumer: &str) -> Option<u32> {
        let version = consumer.strip_prefix(self.name)?.strip_prefix("-v")?;
        version.parse().ok()
    }

    /// The filters narrowed to one aggregate.
    pub(super) fn filters_of(&self, aggregate: &str) -> Vec<String> {
        let event_types = self
            .filters
            .iter()
            .filter_map(|filter| filter.rsplit('.').next());
        event_types
            .map(|event_type| format!("{aggregate}.{event_type}"))
            .collect()
    }
}

/// The aggregate that a subject names: all of it but the event type.
pub(super) fn aggregate_of(subject: &str) -> &str {
    subject
        .rsplit_once('.')
        .map_or(subject, |(aggregate, _)| aggregate)
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;
    use bytes::Bytes;

    use super::*;

    fn declaration(version: u32) -> Declaration {
        Declaration {
            service: "shop",
            name: "thank",
            version,
            stream: "ORDER",
            filters: &["order.*.OrderPlaced", "order.*.OrderCancelled"],
            start: Start::New,
        }
    }

    fn event(id: u128) -> Recorded {
        Recorded {
            stream: "ORDER".into(),
            subject: "order.7.OrderPlaced".to_owned(),
            sequence: 1,
            time: DateTime::UNIX_EPOCH,
            event_id: Uuid::from_u128(id),
            event_type: "OrderPlaced".to_owned(),
            version: 1,
            command_id: None,
            actor: None,
            previous_on_subject: None,
            headers: HeaderMap::new(),
            payload: Bytes::new(),
        }
    }

    #[test]
    fn a_command_id_follows_from_event_and_target_whatever_the_version() {
        let id = declaration(1).command_id(&event(1), "a");
        assert_eq!(id, declaration(2).command_id(&event(1), "a"));
        assert_ne!(id, declaration(1).command_id(&event(1), "b"));
        assert_ne!(id, declaration(1).command_id(&event(2), "a"));
    }

    #[test]
    fn a_consumer_tells_its_version_and_whether_it_is_of_this_policy() {
        assert_eq!(
            declaration(1).version_of(&declaration(3).consumer()),
            Some(3)
        );
        assert_eq!(declaration(1).version_of("thank-all-v2"), None);
        assert_eq!(declaration(1).version_of("other-v2"), None);
    }

    #[test]
    fn filters_are_narrowed_to_the_aggregate_of_a_subject() {
        let aggregate = aggregate_of("order.7.OrderPlaced");
        assert_eq!(
            declaration(1).filters_of(aggregate),
            ["order.7.OrderPlaced", "order.7.OrderCancelled"]
        );
    }
}
