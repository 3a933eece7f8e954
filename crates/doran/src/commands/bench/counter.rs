//! The smallest aggregate: it counts.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use doran_eventstore::{CommandContext, EventSourced, Schema};
use doran_platform::Clock;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Its stream.
pub(super) const STREAM: &str = "BENCH";
/// About as many bytes as a short sealed message.
const PADDING_BYTES: usize = 200;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counter {
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(super) enum CounterEvent {
    Counted { padding: String },
}

/// A counter is never refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {}

impl CounterEvent {
    pub(super) const TYPE: &str = "Counted";

    pub(super) fn sample() -> Self {
        Self::Counted {
            padding: "x".repeat(PADDING_BYTES),
        }
    }
}

impl DomainEvent for CounterEvent {
    fn event_type(&self) -> String {
        Self::TYPE.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Counter {
    const TYPE: &'static str = "bench";
    type Command = ();
    type Event = CounterEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        sink.write(CounterEvent::sample(), self).await;
        Ok(())
    }

    fn apply(&mut self, CounterEvent::Counted { .. }: CounterEvent) {
        self.count += 1;
    }
}

impl EventSourced for Counter {
    const STREAM: &'static str = STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        Schema {
            types: &[(CounterEvent::TYPE, 1)],
            upcasters: &[],
        }
    }

    fn taken(_kind: &str) -> Refusal {
        unreachable!("a counter claims nothing")
    }
}

/// A command of its own.
pub(super) fn context(clock: &Clock) -> CommandContext {
    CommandContext {
        command_id: clock.new_id(),
        time: clock.now(),
        actor: Some(Uuid::nil().to_string()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: "doran bench",
    }
}
