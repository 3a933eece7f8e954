//! Requests of one socket that are under way.
//!
//! What writes is done strictly one after the other, so that what one socket sends stays in order;
//! messages that follow on each other and wait go out together.
//! Subscriptions are done one after the other too, and so is history, each beside the others: a
//! slow answer of one kind does not hold up another.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll, ready},
};

use doran_contract::frame::MAX_IN_FLIGHT;
use futures_util::future::BoxFuture;

use super::send::Outgoing;

pub(super) type Work<'a> = BoxFuture<'a, ()>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Lane {
    Writes,
    Subscriptions,
    Questions,
}

/// What a frame asks for. Messages belong to the lane of writes.
pub(super) enum Task<'a> {
    Send(Outgoing),
    Other(Lane, Work<'a>),
}

pub(super) struct InFlight<'a> {
    writes: Writes<'a>,
    subscriptions: VecDeque<Work<'a>>,
    questions: VecDeque<Work<'a>>,
}

struct Writes<'a> {
    waiting: VecDeque<Write<'a>>,
    /// What is being done, for so many frames.
    under_way: Option<(usize, Work<'a>)>,
    send_all: Box<dyn Fn(Vec<Outgoing>) -> Work<'a> + Send + 'a>,
}

enum Write<'a> {
    Send(Outgoing),
    Other(Work<'a>),
}

impl<'a> InFlight<'a> {
    /// `send_all` stores messages in their order, and answers for each.
    pub(super) fn new(send_all: impl Fn(Vec<Outgoing>) -> Work<'a> + Send + 'a) -> Self {
        Self {
            writes: Writes {
                waiting: VecDeque::new(),
                under_way: None,
                send_all: Box::new(send_all),
            },
            subscriptions: VecDeque::new(),
            questions: VecDeque::new(),
        }
    }

    /// Adds what begins when what was added to its lane before is done.
    pub(super) fn add(&mut self, task: Task<'a>) {
        match task {
            Task::Send(outgoing) => self.writes.waiting.push_back(Write::Send(outgoing)),
            Task::Other(Lane::Writes, work) => self.writes.waiting.push_back(Write::Other(work)),
            Task::Other(Lane::Subscriptions, work) => self.subscriptions.push_back(work),
            Task::Other(Lane::Questions, work) => self.questions.push_back(work),
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
        let mut is_one_done = self.writes.poll(cx).is_ready();
        for lane in [&mut self.subscriptions, &mut self.questions] {
            is_one_done |= poll_lane(lane, cx).is_ready();
        }
        if is_one_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<'a> Writes<'a> {
    fn len(&self) -> usize {
        let under_way = self.under_way.as_ref().map_or(0, |(frames, _)| *frames);
        under_way + self.waiting.len()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.under_way.is_none() {
            self.under_way = self.next();
        }
        let Some((_, work)) = &mut self.under_way else {
            return Poll::Pending;
        };
        ready!(work.as_mut().poll(cx));
        self.under_way = None;
        Poll::Ready(())
    }

    fn next(&mut self) -> Option<(usize, Work<'a>)> {
        let mut outgoing = match self.waiting.pop_front()? {
            Write::Send(first) => vec![first],
            Write::Other(work) => return Some((1, work)),
        };
        let fits = |next: &mut Write<'a>, before: &[Outgoing]| match next {
            Write::Send(next) => next.fits_behind(before),
            Write::Other(_) => false,
        };
        while let Some(Write::Send(next)) = self.waiting.pop_front_if(|next| fits(next, &outgoing))
        {
            outgoing.push(next);
        }
        Some((outgoing.len(), (self.send_all)(outgoing)))
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

    use doran_contract::{RoomId, frame};
    use futures_util::FutureExt;
    use tokio::sync::oneshot;
    use uuid::Uuid;

    use super::*;

    fn outgoing(id: u64, content: &str) -> Task<'static> {
        let message = frame::Send {
            room_id: RoomId::new(Uuid::nil()),
            client_message_id: Uuid::nil().into(),
            content: content.to_owned(),
            reply_to: None,
            mentions: Vec::new(),
            file_ids: Vec::new(),
        };
        let id = Some(id);
        Task::Send(Outgoing { id, message })
    }

    /// Notes the frames of each command, which is done at once.
    fn noting(commands: &Mutex<Vec<Vec<u64>>>) -> InFlight<'_> {
        InFlight::new(move |outgoing| {
            let ids = outgoing.iter().filter_map(|outgoing| outgoing.id).collect();
            Box::pin(async move { commands.lock().unwrap().push(ids) })
        })
    }

    #[tokio::test]
    async fn messages_that_wait_behind_each_other_go_out_together() {
        let commands = Mutex::default();
        let mut in_flight = noting(&commands);
        in_flight.add(outgoing(1, "a"));
        in_flight.add(outgoing(2, "b"));
        in_flight.add(Task::Other(
            Lane::Writes,
            Box::pin(async {
                commands.lock().unwrap().push(vec![3]);
            }),
        ));
        in_flight.add(outgoing(4, "c"));
        in_flight.add(outgoing(5, &"x".repeat(100_000)));
        in_flight.add(outgoing(6, &"x".repeat(100_000)));
        assert_eq!(in_flight.len(), 6);
        in_flight.one_done().await;
        assert_eq!(in_flight.len(), 4);
        in_flight.all_done().await;
        let expected = [vec![1, 2], vec![3], vec![4, 5], vec![6]];
        assert_eq!(*commands.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn work_of_one_lane_is_done_in_order_and_lanes_do_not_wait_for_each_other() {
        let done = Mutex::new(Vec::new());
        let (first, first_may_end) = oneshot::channel::<()>();
        let commands = Mutex::default();
        let mut in_flight = noting(&commands);
        in_flight.add(Task::Other(
            Lane::Writes,
            Box::pin(async {
                first_may_end.await.unwrap();
                done.lock().unwrap().push("first");
            }),
        ));
        in_flight.add(Task::Other(
            Lane::Writes,
            Box::pin(async { done.lock().unwrap().push("second") }),
        ));
        in_flight.add(Task::Other(
            Lane::Questions,
            Box::pin(async { done.lock().unwrap().push("question") }),
        ));

        in_flight.one_done().await;
        assert_eq!(*done.lock().unwrap(), ["question"]);
        assert!(in_flight.one_done().now_or_never().is_none());

        first.send(()).unwrap();
        in_flight.all_done().await;
        assert_eq!(*done.lock().unwrap(), ["question", "first", "second"]);
    }

    #[tokio::test]
    async fn only_so_much_is_under_way() {
        let commands = Mutex::default();
        let mut in_flight = noting(&commands);
        for _ in 0..MAX_IN_FLIGHT {
            assert!(!in_flight.is_full());
            in_flight.add(Task::Other(Lane::Writes, Box::pin(async {})));
        }
        assert!(in_flight.is_full());
        in_flight.one_done().await;
        assert!(!in_flight.is_full());
    }
}
