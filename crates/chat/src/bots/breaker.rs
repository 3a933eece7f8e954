//! Whether a bot is called at all: one that failed again and again is left alone for a while.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open; after that one more failure opens it again.
const OPEN: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// How long the bot is to be left alone; none if it may be called.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let left = self.open_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.open_until = Some(now + OPEN);
        }
    }

    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.wait(now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_at_once_after_a_failed_trial() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        for _ in 1..FAILURES {
            breaker.failed(now);
            assert!(!breaker.is_open(now));
        }
        breaker.failed(now);
        assert_eq!(breaker.wait(now), Some(OPEN));
        let later = now + OPEN;
        assert!(!breaker.is_open(later));
        breaker.failed(later);
        assert!(breaker.is_open(later));
        breaker.succeeded();
        breaker.failed(later);
        assert!(!breaker.is_open(later));
    }
}
