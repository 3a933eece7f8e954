//! Leaves a service alone that does not answer, and tries it again after a while.
//!
//! Only silence counts: a service that answers 503 for a reason of its own is there.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The last so many calls are looked at, not before there are so many.
const WINDOW: usize = 10;
/// So many of them without an answer, and it opens: half.
const FAILURES: usize = WINDOW / 2;
const OPEN_FOR: Duration = Duration::from_secs(10);
/// Calls that are let through after that; all must be answered.
const PROBES: usize = 3;
/// While the probes are under way.
const PROBING: Duration = Duration::from_secs(1);

pub(super) struct Breaker {
    service: &'static str,
    state: Mutex<State>,
}

enum State {
    Closed(VecDeque<Outcome>),
    Open { until: Instant },
    HalfOpen { under_way: usize, answered: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Answered,
    Silent,
}

/// Leave to call. Dropped without an outcome it counts for nothing.
pub(super) struct Pass<'a>(Option<&'a Breaker>);

impl Breaker {
    pub(super) fn new(service: &'static str) -> Self {
        Self {
            service,
            state: Mutex::new(State::Closed(VecDeque::new())),
        }
    }

    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    /// Leave to call, or how long to wait for it.
    pub(super) fn admit(&self) -> Result<Pass<'_>, Duration> {
        let now = Instant::now();
        let mut state = self.state();
        if let State::Open { until } = *state {
            let left = until.saturating_duration_since(now);
            if !left.is_zero() {
                return Err(left);
            }
            *state = State::HalfOpen {
                under_way: 0,
                answered: 0,
            };
        }
        if let State::HalfOpen {
            under_way,
            answered,
        } = &mut *state
        {
            if *under_way + *answered >= PROBES {
                return Err(PROBING);
            }
            *under_way += 1;
        }
        Ok(Pass(Some(self)))
    }

    fn record(&self, outcome: Option<Outcome>) {
        let mut state = self.state();
        let next = match (&mut *state, outcome) {
            (State::Closed(window), Some(outcome)) => {
                window.push_back(outcome);
                if window.len() > WINDOW {
                    window.pop_front();
                }
                let is_full = window.len() == WINDOW;
                let silent = window.iter().filter(|seen| **seen == Outcome::Silent);
                (is_full && silent.count() >= FAILURES).then(opened)
            }
            (State::HalfOpen { .. }, Some(Outcome::Silent)) => Some(opened()),
            (
                State::HalfOpen {
                    under_way,
                    answered,
                },
                outcome,
            ) => {
                *under_way = under_way.saturating_sub(1);
                *answered += usize::from(outcome.is_some());
                (*answered == PROBES).then(|| State::Closed(VecDeque::new()))
            }
            // Was under way when it opened.
            (State::Open { .. }, _) | (State::Closed(_), None) => None,
        };
        let Some(next) = next else { return };
        let is_open = matches!(next, State::Open { .. });
        tracing::warn!(service = self.service, is_open, "the breaker turned");
        metrics::gauge!("gateway_breaker_open", "service" => self.service).set(if is_open {
            1.0
        } else {
            0.0
        });
        *state = next;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn opened() -> State {
    State::Open {
        until: Instant::now() + OPEN_FOR,
    }
}

impl Pass<'_> {
    pub(super) fn answered(self) {
        self.end(Outcome::Answered);
    }

    pub(super) fn silent(self) {
        self.end(Outcome::Silent);
    }

    fn end(mut self, outcome: Outcome) {
        if let Some(breaker) = self.0.take() {
            breaker.record(Some(outcome));
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(breaker) = self.0.take() {
            breaker.record(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(breaker: &Breaker, is_answered: bool) {
        let pass = breaker.admit().unwrap_or_else(|wait| panic!("{wait:?}"));
        if is_answered {
            pass.answered();
        } else {
            pass.silent();
        }
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new("chat");
        (0..10).for_each(|n| call(&breaker, n % 2 == 0));
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_when_half_of_ten_calls_are_not_answered() {
        let breaker = Breaker::new("chat");
        (0..9).for_each(|_| call(&breaker, false));
        call(&breaker, false);
        assert_eq!(breaker.admit().err(), Some(OPEN_FOR));
        assert!(opened().admit().is_err());
        let breaker = Breaker::new("chat");
        (0..100).for_each(|n| call(&breaker, n % 5 != 0));
        assert!(breaker.admit().is_ok(), "a fifth is not half");
    }

    #[tokio::test(start_paused = true)]
    async fn after_ten_seconds_three_answers_close_it() {
        let breaker = opened();
        tokio::time::advance(OPEN_FOR).await;
        let probes: Vec<_> = (0..3).map(|_| breaker.admit().ok().unwrap()).collect();
        assert_eq!(breaker.admit().err(), Some(PROBING));
        probes.into_iter().for_each(Pass::answered);
        (0..4).for_each(|_| call(&breaker, false));
        assert!(breaker.admit().is_ok(), "the old failures are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_without_an_answer_opens_it_again() {
        let breaker = opened();
        tokio::time::advance(OPEN_FOR).await;
        call(&breaker, true);
        call(&breaker, false);
        assert_eq!(breaker.admit().err(), Some(OPEN_FOR));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_its_client_gave_up_counts_for_nothing() {
        let breaker = opened();
        tokio::time::advance(OPEN_FOR).await;
        for _ in 0..100 {
            drop(breaker.admit());
        }
        (0..3).for_each(|_| call(&breaker, true));
        (0..100).for_each(|_| drop(breaker.admit()));
        assert!(breaker.admit().is_ok());
    }
}
