//! One process of a service, and whether it is worth asking.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::{Uri, uri::InvalidUriParts};
use tokio::time::Instant;

/// How long an instance is left alone after a call without an answer; doubled with each more.
const LEFT_FOR: Duration = Duration::from_millis(250);
const MOST_DOUBLINGS: u32 = 4;
/// How long others wait for the one call that tries it again.
const TRIAL: Duration = Duration::from_secs(1);

pub(super) struct Instance {
    base: Uri,
    in_flight: AtomicUsize,
    absence: Mutex<Absence>,
}

#[derive(Default)]
struct Absence {
    until: Option<Instant>,
    failures: u32,
}

/// A call under way; it ends with this.
pub(super) struct Call<'a>(&'a Instance);

impl Instance {
    pub(super) fn new(base: Uri) -> Self {
        Self {
            base,
            in_flight: AtomicUsize::new(0),
            absence: Mutex::default(),
        }
    }

    pub(super) fn begin(&self) -> Call<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let mut absence = self.absence();
        if absence.until.is_some() {
            absence.until = Some(Instant::now() + TRIAL);
        }
        Call(self)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Until when it is better not asked; none if it answers.
    pub(super) fn absent_until(&self, now: Instant) -> Option<Instant> {
        self.absence().until.filter(|until| *until > now)
    }

    pub(super) fn answered(&self) {
        *self.absence() = Absence::default();
    }

    pub(super) fn failed(&self) {
        let mut absence = self.absence();
        let doublings = absence.failures.min(MOST_DOUBLINGS);
        absence.until = Some(Instant::now() + LEFT_FOR * 2_u32.pow(doublings));
        absence.failures += 1;
    }

    /// The same path and query here.
    pub(super) fn at(&self, uri: &Uri) -> Result<Uri, InvalidUriParts> {
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = uri.path_and_query().cloned();
        Uri::from_parts(parts)
    }

    fn absence(&self) -> MutexGuard<'_, Absence> {
        self.absence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_away(instance: &Instance) -> bool {
        instance.absent_until(Instant::now()).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_left_at_once_and_tried_by_one_call_at_a_time() {
        let instance = Instance::new("http://127.0.0.1:1".parse().unwrap());
        assert!(!is_away(&instance));
        instance.failed();
        assert!(is_away(&instance));
        tokio::time::advance(LEFT_FOR).await;
        assert!(!is_away(&instance));
        let trial = instance.begin();
        assert!(is_away(&instance), "the others wait for the trial");
        assert_eq!(instance.in_flight(), 1);
        drop(trial);
        instance.answered();
        assert!(!is_away(&instance));
        assert_eq!(instance.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longer_it_is_dead_the_less_it_is_asked() {
        let instance = Instance::new("http://127.0.0.1:1".parse().unwrap());
        (0..100).for_each(|_| instance.failed());
        let until = instance.absent_until(Instant::now()).unwrap();
        assert_eq!(until - Instant::now(), Duration::from_secs(4));
    }
}
