//! What one process knows of one read model: its position, and how it is doing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use uuid::Uuid;

use crate::{Activity, Failing, Halt, ReadModel, Status};

/// Shared by the runner, the monitor, the notices and those who wait.
#[derive(Debug)]
pub(crate) struct Tracker {
    service: String,
    read_model: String,
    stream: String,
    position: watch::Sender<u64>,
    /// Only for a leader: it writes the position down before it counts.
    idle_advance: watch::Sender<Advance>,
    /// Somebody waits for a position that has not been reached.
    wanted: Notify,
    /// Somebody waits for what may be there already.
    hastened: Notify,
    known: Mutex<Known>,
}

/// Nothing in the log after `from`, up to and with `to`, is for the read model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Advance {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

#[derive(Debug)]
struct Known {
    activity: Activity,
    head: u64,
    lag_seconds: f64,
    parked: u64,
    /// Which leadership the position comes from.
    leadership: Uuid,
    /// The last error of tries that all failed, and when the first did.
    failing: Option<(String, Instant)>,
}

impl Tracker {
    pub(crate) fn new(service: &str, model: &ReadModel) -> Self {
        Self {
            service: service.to_owned(),
            read_model: model.name().to_owned(),
            stream: model.stream().to_owned(),
            position: watch::Sender::new(0),
            idle_advance: watch::Sender::new(Advance::default()),
            wanted: Notify::new(),
            hastened: Notify::new(),
            known: Mutex::new(Known {
                activity: Activity::Idle,
                head: 0,
                lag_seconds: 0.0,
                parked: 0,
                leadership: Uuid::nil(),
                failing: None,
            }),
        }
    }

    pub(crate) fn read_model(&self) -> &str {
        &self.read_model
    }

    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    pub(crate) fn position(&self) -> u64 {
        *self.position.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }

    /// Asks the monitor to look at the log now instead of at its next tick.
    pub(crate) fn want(&self) {
        self.wanted.notify_one();
    }

    pub(crate) async fn until_wanted(&self) {
        self.wanted.notified().await;
    }

    /// Asks the runner not to rest before it applies what has come.
    pub(crate) fn hasten(&self) {
        self.hastened.notify_one();
    }

    pub(crate) async fn until_hastened(&self) {
        self.hastened.notified().await;
    }

    /// The stream's last sequence when the monitor last asked.
    pub(crate) fn head(&self) -> u64 {
        self.known().head
    }

    pub(crate) fn is_leading(&self) -> bool {
        self.known().activity == Activity::Leading
    }

    pub(crate) fn is_halted(&self) -> bool {
        matches!(self.known().activity, Activity::Halted(_))
    }

    /// This process became the leader; the tables decide the position, even backwards.
    pub(crate) fn lead(&self, leadership: Uuid, position: u64) {
        let mut known = self.known();
        known.activity = Activity::Leading;
        known.leadership = leadership;
        drop(known);
        self.gauge("projection_halted", 0.0);
        self.set_position(position);
    }

    /// The tables hold everything up to `position`. Never goes back.
    pub(crate) fn advance(&self, position: u64) {
        let moved = self.position.send_if_modified(|reached| {
            let is_ahead = position > *reached;
            *reached = position.max(*reached);
            is_ahead
        });
        if moved {
            self.known().failing = None;
            self.record_position(position);
        }
    }

    /// The log holds nothing for the read model in there, so its tables hold all of it already.
    pub(crate) fn skip(&self, skipped: Advance) {
        if self.is_leading() {
            self.idle_advance.send_replace(skipped);
        } else if self.position() >= skipped.from {
            self.advance(skipped.to);
        }
    }

    pub(crate) fn watch_skips(&self) -> watch::Receiver<Advance> {
        self.idle_advance.subscribe()
    }

    /// What the leader in another process says. A new leader may say less than the last one, for
    /// the database may have been restored from an older copy.
    pub(crate) fn heard(&self, leadership: Uuid, position: u64, parked: u64) {
        let mut known = self.known();
        if known.activity == Activity::Leading {
            return;
        }
        let is_new_leader = leadership != known.leadership;
        known.leadership = leadership;
        known.parked = parked;
        drop(known);
        if is_new_leader {
            self.set_position(position);
        } else {
            self.advance(position);
        }
    }

    /// The log is not the one that the position speaks of.
    pub(crate) fn forget_position(&self) {
        self.set_position(0);
    }

    pub(crate) fn stand_by(&self) {
        let mut known = self.known();
        known.activity = Activity::Standby;
        known.failing = None;
        drop(known);
        self.gauge("projection_halted", 0.0);
    }

    pub(crate) fn idle(&self) {
        self.known().activity = Activity::Idle;
    }

    /// Whether this is another error than that of the try before.
    pub(crate) fn retry(&self, error: String) -> bool {
        let mut known = self.known();
        let (is_new, since) = match &known.failing {
            Some((before, since)) => (*before != error, *since),
            None => (true, Instant::now()),
        };
        known.failing = Some((error.clone(), since));
        known.activity = Activity::Retrying { error };
        is_new
    }

    /// Whether this is another halt than the one before.
    pub(crate) fn halt(&self, halt: Halt) -> bool {
        if halt.is_about_the_log() {
            self.forget_position();
        }
        let halted = Activity::Halted(halt);
        let mut known = self.known();
        let is_new = known.activity != halted;
        known.activity = halted;
        drop(known);
        self.gauge("projection_halted", 1.0);
        is_new
    }

    pub(crate) fn set_parked(&self, parked: usize) {
        self.known().parked = parked as u64;
        self.gauge("projection_parked", as_gauge(parked as u64));
    }

    pub(crate) fn set_lag(&self, head: u64, lag_seconds: f64) {
        let mut known = self.known();
        known.head = head;
        known.lag_seconds = lag_seconds;
        if lag_seconds == 0.0 && known.activity == Activity::Leading {
            known.failing = None;
        }
        drop(known);
        let lag_events = head.saturating_sub(self.position());
        self.gauge("projection_lag_events", as_gauge(lag_events));
        self.gauge("projection_lag_seconds", lag_seconds);
    }

    pub(crate) fn status(&self) -> Status {
        let position = self.position();
        let known = self.known();
        Status {
            read_model: self.read_model.clone(),
            stream: self.stream.clone(),
            position,
            head: known.head.max(position),
            lag_events: known.head.saturating_sub(position),
            lag_seconds: known.lag_seconds,
            parked: known.parked,
            activity: known.activity.clone(),
            failing: known.failing.as_ref().map(|(error, since)| Failing {
                error: error.clone(),
                lasting: since.elapsed(),
            }),
        }
    }

    pub(crate) fn record_batch(&self, events: usize) {
        metrics::histogram!("projection_batch_size", "service" => self.service.clone(),
            "read_model" => self.read_model.clone())
        .record(as_gauge(events as u64));
    }

    pub(crate) fn count_unknown_type(&self) {
        metrics::counter!("projection_unknown_types_total", "service" => self.service.clone(),
            "read_model" => self.read_model.clone())
        .increment(1);
    }

    fn set_position(&self, position: u64) {
        self.position.send_replace(position);
        self.record_position(position);
    }

    fn record_position(&self, position: u64) {
        self.gauge("projection_position", as_gauge(position));
    }

    fn gauge(&self, name: &'static str, value: f64) {
        gauge!(name, "service" => self.service.clone(), "read_model" => self.read_model.clone())
            .set(value);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn as_gauge(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Uuid = Uuid::from_u128(1);
    const SECOND: Uuid = Uuid::from_u128(2);

    fn tracker() -> Tracker {
        let toml = "stream = \"S\"\nfilters = [\"s.>\"]\nversion = 1\ntables = [\"t\"]";
        let files = [("projection.toml", toml), ("A.sql", "select $1")];
        Tracker::new("shop", &ReadModel::try_new("orders", files).unwrap())
    }

    #[test]
    fn a_position_does_not_go_back_under_one_leader() {
        let tracker = tracker();
        tracker.heard(FIRST, 10, 0);
        tracker.heard(FIRST, 8, 0);
        assert_eq!(tracker.position(), 10);
    }

    #[test]
    fn a_new_leader_may_start_from_an_older_copy_of_the_database() {
        let tracker = tracker();
        tracker.heard(FIRST, 10, 0);
        tracker.heard(SECOND, 4, 1);
        assert_eq!(tracker.position(), 4);
        assert_eq!(tracker.status().parked, 1);
    }

    #[test]
    fn tries_fail_until_something_is_applied() {
        let tracker = tracker();
        let error = || "the disk is full".to_owned();
        tracker.lead(FIRST, 5);
        assert!(tracker.retry(error()));
        tracker.lead(FIRST, 5);
        assert!(!tracker.retry(error()), "it was told of already");
        tracker.lead(FIRST, 5);
        assert_eq!(tracker.status().failing.unwrap().error, error());
        tracker.advance(6);
        assert!(tracker.status().failing.is_none());
        assert!(tracker.retry(error()));
        tracker.set_lag(6, 0.0);
        assert!(tracker.status().failing.is_some(), "it has no connection");
        tracker.lead(FIRST, 6);
        tracker.set_lag(6, 0.0);
        assert!(tracker.status().failing.is_none());
    }

    #[test]
    fn a_leader_does_not_listen_to_others() {
        let tracker = tracker();
        tracker.lead(FIRST, 5);
        tracker.heard(SECOND, 50, 0);
        assert_eq!(tracker.position(), 5);
        assert!(tracker.status().is_leader());
    }
}
