//! A clock that a test sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Stands still until it is moved. Copies show the same time. Pass it on with
/// `Clock::from_fn(clock.reader())`.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<DateTime<Utc>>>);

impl TestClock {
    /// A clock at a time in RFC 3339.
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(
            time.parse().expect("a time in RFC 3339"),
        )))
    }

    pub fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// What tells this clock's time, for a clock of the system under test.
    pub fn reader(&self) -> impl Fn() -> DateTime<Utc> + Send + Sync + use<> {
        let clock = self.clone();
        move || clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_when_it_is_moved() {
        let clock = TestClock::at("2026-03-01T09:00:00Z");
        let read = clock.reader();
        assert_eq!(read(), clock.now());
        clock.advance(Duration::from_secs(90));
        assert_eq!(read().to_rfc3339(), "2026-03-01T09:01:30+00:00");
    }
}
