//! What is read of one stream from the server once, for all who follow it in this process.
//!
//! The server delivers every message to every consumer, and whoever gets it parses it: with five
//! followers both cost more than storing the message does.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{Follow, LogReader, follow::KnownLog};
use crate::Recorded;

const MOST_EVENTS: usize = 1024;
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// So many are taken or given at once, if they are there.
const AT_ONCE: usize = 64;
/// How long those who go in step wait for others to begin, and for one who stands still.
const GATHER: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// What becomes of those who are slower than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// They read for themselves until they are back.
    Live,
    /// The others wait for them.
    InStep,
}

/// Read as long as somebody holds it.
#[derive(Debug)]
pub(super) struct Tail {
    shared: Arc<Shared>,
    _reading: JoinSet<()>,
}

/// Where one follower is in a tail.
pub(super) struct Seat {
    newest: watch::Receiver<Newest>,
    /// Everything up to this sequence was taken or does not fit.
    passed: Arc<AtomicU64>,
    /// Taken, but not given out.
    taken: VecDeque<Arc<Recorded>>,
    /// Keeps it read.
    tail: Arc<Tail>,
}

#[derive(Debug)]
struct Shared {
    log: KnownLog,
    newest: watch::Sender<Newest>,
    /// Somebody has passed something.
    progress: Notify,
}

#[derive(Debug)]
struct Newest {
    /// Everything after this sequence is in `events`.
    since: u64,
    events: VecDeque<Arc<Recorded>>,
    bytes: usize,
    /// The log is another one now.
    is_over: bool,
    seats: Vec<Weak<AtomicU64>>,
}

impl Tail {
    /// Begins to read what comes after `since`.
    pub(super) fn start(reader: LogReader, since: u64, log: KnownLog, pace: Pace) -> Self {
        let newest = Newest {
            since,
            events: VecDeque::new(),
            bytes: 0,
            is_over: false,
            seats: Vec::new(),
        };
        let shared = Arc::new(Shared {
            log,
            newest: watch::Sender::new(newest),
            progress: Notify::new(),
        });
        let mut reading = JoinSet::new();
        reading.spawn(Arc::clone(&shared).read(reader, since, pace));
        Self {
            shared,
            _reading: reading,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.shared.newest.borrow().is_over
    }

    /// A place from which everything after `passed` comes, if all of it is here.
    pub(super) fn seat_behind(self: &Arc<Self>, passed: u64, log: &KnownLog) -> Option<Seat> {
        if self.shared.log != *log {
            return None;
        }
        let place = Arc::new(AtomicU64::new(passed));
        let mut is_here = false;
        self.shared.newest.send_if_modified(|newest| {
            is_here = !newest.is_over && newest.since <= passed;
            if is_here {
                newest.seats.push(Arc::downgrade(&place));
            }
            false
        });
        is_here.then(|| Seat {
            newest: self.shared.newest.subscribe(),
            passed: place,
            taken: VecDeque::new(),
            tail: Arc::clone(self),
        })
    }
}

impl Seat {
    /// The next event that fits one of the filters; none if the tail has gone on, or is over.
    pub(super) async fn next(&mut self, filters: &[String]) -> Option<Arc<Recorded>> {
        while self.taken.is_empty() {
            let passed = self.passed.load(Ordering::Acquire);
            let news = self.newest.wait_for(|newest| newest.has_news_for(passed));
            let newest = news.await.ok()?;
            if newest.since > passed {
                return None;
            }
            let mut after = newest.after(passed).take(AT_ONCE).peekable();
            after.peek()?;
            let mut last = passed;
            for event in after {
                last = event.sequence;
                if fits_any(&event.subject, filters) {
                    self.taken.push_back(Arc::clone(event));
                }
            }
            drop(newest);
            self.passed.store(last, Ordering::Release);
            self.tail.shared.progress.notify_one();
        }
        self.taken.pop_front()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.passed.store(u64::MAX, Ordering::Release);
        self.tail.shared.progress.notify_one();
    }
}

impl Shared {
    /// Reads until the log is another one.
    async fn read(self: Arc<Self>, reader: LogReader, since: u64, pace: Pace) {
        let gathered = Instant::now() + GATHER;
        let events = Follow::after(reader, since, self.log.clone());
        let mut events = events.ready_chunks(AT_ONCE);
        while let Some(chunk) = events.next().await {
            for event in chunk {
                let Ok(event) = event else {
                    self.newest.send_modify(|newest| newest.is_over = true);
                    return;
                };
                if pace == Pace::InStep {
                    self.wait_for_room(gathered).await;
                }
                self.newest.send_modify(|newest| newest.push(event));
            }
        }
    }

    /// Until nobody is that far behind who has moved in the meantime.
    async fn wait_for_room(&self, gathered: Instant) {
        if !self.newest.borrow().is_full() {
            return;
        }
        sleep_until(gathered).await;
        while self.newest.borrow().is_full() {
            let mut has_dropped = false;
            self.newest.send_if_modified(|newest| {
                has_dropped = newest.drop_passed();
                false
            });
            if !has_dropped && timeout(PATIENCE, self.progress.notified()).await.is_err() {
                self.newest.send_modify(Newest::leave_behind);
            }
        }
    }
}

impl Newest {
    /// Whether whoever has passed this sequence has something to do.
    fn has_news_for(&self, passed: u64) -> bool {
        let last = self.events.back().map_or(0, |event| event.sequence);
        self.is_over || self.since > passed || last > passed
    }

    fn after(&self, sequence: u64) -> impl Iterator<Item = &Arc<Recorded>> {
        let passed = self
            .events
            .partition_point(|event| event.sequence <= sequence);
        self.events.range(passed..)
    }

    fn push(&mut self, event: Arc<Recorded>) {
        while self.is_full() {
            self.drop_oldest();
        }
        self.bytes += event.payload.len();
        self.events.push_back(event);
    }

    fn is_full(&self) -> bool {
        self.events.len() >= MOST_EVENTS || self.bytes >= MOST_BYTES
    }

    /// Drops what everybody has passed who is not behind; whether there was any.
    fn drop_passed(&mut self) -> bool {
        self.seats.retain(|seat| seat.strong_count() > 0);
        let places = self.seats.iter().filter_map(Weak::upgrade);
        let places = places.map(|place| place.load(Ordering::Acquire));
        let slowest = places.filter(|place| *place >= self.since).min();
        let before = self.events.len();
        while let Some(oldest) = self.events.front()
            && slowest.is_none_or(|slowest| oldest.sequence <= slowest)
        {
            self.drop_oldest();
        }
        self.events.len() < before
    }

    /// Drops half, whoever has not passed it.
    fn leave_behind(&mut self) {
        for _ in 0..self.events.len().div_ceil(2) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.bytes -= oldest.payload.len();
            self.since = oldest.sequence;
        }
    }
}

/// No filters mean everything.
fn fits_any(subject: &str, filters: &[String]) -> bool {
    filters.is_empty() || filters.iter().any(|filter| subject_fits(subject, filter))
}

/// Whether a subject fits a filter with `*` for one token and `>` for the rest, as the server
/// decides it.
pub fn subject_fits(subject: &str, filter: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            (_, Some(_) | None) => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_fit_filters_as_the_server_decides() {
        for (subject, filter, expected) in [
            ("a.b.C", "a.b.C", true),
            ("a.b.C", "a.*.C", true),
            ("a.b.C", "a.*.D", false),
            ("a.b.C", "a.*", false),
            ("a.b.C", "a.*.*.*", false),
            ("a.b.C", "a.>", true),
            ("a", "a.>", false),
            ("a.b.C", ">", true),
            ("a.b.C", "b.>", false),
        ] {
            let is_fitting = subject_fits(subject, filter);
            assert_eq!(is_fitting, expected, "{subject} {filter}");
        }
        assert!(fits_any("a.b", &[]));
        assert!(!fits_any("a.b", &["a".to_owned(), "b".to_owned()]));
    }
}
