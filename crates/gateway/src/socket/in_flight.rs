//! Requests of one socket that are under way.
//!
//! What writes is done strictly one after the other, so that what one socket sends stays in order.
//! Subscriptions are too, and so is history, each beside the others: a slow answer of one kind
//! does not hold up another.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll, ready},
};

use doran_contract::frame::MAX_IN_FLIGHT;
use futures_util::future::BoxFuture;

pub(super) type Work<'a> = BoxFuture<'a, ()>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Lane {
    Writes,
    Subscriptions,
    Questions,
}

#[derive(Default)]
pub(super) struct InFlight<'a> {
    writes: VecDeque<Work<'a>>,
    subscriptions: VecDeque<Work<'a>>,
    questions: VecDeque<Work<'a>>,
}

impl<'a> InFlight<'a> {
    /// Adds work that begins when what was added to its lane before is done.
    pub(super) fn add(&mut self, lane: Lane, work: Work<'a>) {
        match lane {
            Lane::Writes => self.writes.push_back(work),
            Lane::Subscriptions => self.subscriptions.push_back(work),
            Lane::Questions => self.questions.push_back(work),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= MAX_IN_FLIGHT
    }

    /// Returns when something has been done; never while there is nothing to do.
    pub(super) async fn one_done(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    pub(super) async fn all_done(&mut self) {
        while self.len() > 0 {
            self.one_done().await;
        }
    }

    fn len(&self) -> usize {
        self.writes.len() + self.subscriptions.len() + self.questions.len()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut is_one_done = false;
        for lane in [
            &mut self.writes,
            &mut self.subscriptions,
            &mut self.questions,
        ] {
            is_one_done |= poll_lane(lane, cx).is_ready();
        }
        if is_one_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Only what is in front makes progress.
fn poll_lane(lane: &mut VecDeque<Work<'_>>, cx: &mut Context<'_>) -> Poll<()> {
    let Some(work) = lane.front_mut() else {
        return Poll::Pending;
    };
    ready!(work.as_mut().poll(cx));
    lane.pop_front();
    Poll::Ready(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_of_one_lane_is_done_in_order_and_lanes_do_not_wait_for_each_other() {
        let done = Mutex::new(Vec::new());
        let (first, first_may_end) = oneshot::channel::<()>();
        let mut in_flight = InFlight::default();
        in_flight.add(
            Lane::Writes,
            Box::pin(async {
                first_may_end.await.unwrap();
                done.lock().unwrap().push("first");
            }),
        );
        in_flight.add(
            Lane::Writes,
            Box::pin(async { done.lock().unwrap().push("second") }),
        );
        in_flight.add(
            Lane::Questions,
            Box::pin(async { done.lock().unwrap().push("question") }),
        );

        in_flight.one_done().await;
        assert_eq!(*done.lock().unwrap(), ["question"]);
        assert!(in_flight.one_done().now_or_never().is_none());

        first.send(()).unwrap();
        in_flight.all_done().await;
        assert_eq!(*done.lock().unwrap(), ["question", "first", "second"]);
    }

    #[tokio::test]
    async fn only_so_much_is_under_way() {
        let mut in_flight = InFlight::default();
        for _ in 0..MAX_IN_FLIGHT {
            assert!(!in_flight.is_full());
            in_flight.add(Lane::Writes, Box::pin(async {}));
        }
        assert!(in_flight.is_full());
        in_flight.one_done().await;
        assert!(!in_flight.is_full());
    }
}
