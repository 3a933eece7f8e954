//! W3C trace context: one trace id from a request over the events it causes to the frames that
//! show them.

use std::{collections::HashMap, fmt::Write};

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::secret::random;

/// The header of HTTP requests, of commands over NATS, and of events.
pub const TRACEPARENT: &str = "traceparent";

const TRACE_ID: std::ops::Range<usize> = 3..35;
const LENGTH: usize = 55;

/// A valid `traceparent` of version 00.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceparent(String);

impl Traceparent {
    /// The beginning of a trace.
    pub fn random() -> Self {
        let bytes = random::<24>();
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            write!(hex, "{byte:02x}").ok();
            hex
        });
        let (trace, span) = hex.split_at(32);
        Self(format!("00-{trace}-{span}-01"))
    }

    /// What somebody sent, if it is what the standard says.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_set = |part: &str| part.bytes().any(|b| b != b'0');
        let is_valid = text.len() == LENGTH
            && version == "00"
            && (trace.len(), span.len(), flags.len()) == (32, 16, 2)
            && [trace, span, flags].into_iter().all(is_hex)
            && is_set(trace)
            && is_set(span);
        is_valid.then(|| Self(text.to_owned()))
    }

    /// What all parts of a trace have in common.
    pub fn trace_id(&self) -> &str {
        self.0.get(TRACE_ID).unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a span a part of this trace, as a collector sees it.
    pub fn adopt(&self, span: &Span) {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), self.0.clone())]);
        let parent = TraceContextPropagator::new().extract(&carrier);
        // Without a collector there is nothing to be told.
        span.set_parent(parent).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_the_standard_says_is_kept_and_anything_else_is_not() {
        let given = Traceparent::parse(GIVEN).unwrap();
        assert_eq!(given.as_str(), GIVEN);
        assert_eq!(given.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n",
        ] {
            assert_eq!(Traceparent::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn each_new_trace_is_another_and_valid() {
        let (one, other) = (Traceparent::random(), Traceparent::random());
        assert_ne!(one.trace_id(), other.trace_id());
        assert_eq!(Traceparent::parse(one.as_str()), Some(one));
    }
}
