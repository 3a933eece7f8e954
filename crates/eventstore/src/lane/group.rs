//! Group commit: while one atomic batch is under way the next one gathers.
//!
//! For each batch the server makes a staging area, which takes it about 4 ms where it syncs always,
//! however few messages are in it; a thousand messages take it little longer.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_nats::{header, jetstream};
use tokio::sync::{
    self,
    oneshot::{self, error::RecvError},
};

use crate::{
    append::{Verdict, append},
    deadline::{Deadline, TOTAL, TRY},
    publish::{AppendError, Message},
};

/// Fewer messages are quicker one after the other.
const LEAST: usize = 12;
/// The server takes no more in one batch.
const MOST: usize = 1000;

/// Messages of different ids that belong behind each other.
#[derive(Debug)]
pub(super) struct Run(Vec<Message>);

/// What became of a run, which is stored as a whole or not at all.
#[derive(Debug)]
pub(super) enum Fate {
    /// From `first` on, one behind the other.
    Stored {
        stream: String,
        first: u64,
    },
    /// Not stored: too few to go together, or the log has or does not take one of them.
    Alone,
    Failed(AppendError),
}

#[derive(Debug, Default)]
pub(super) struct Group {
    waiting: Mutex<Waiting>,
    /// Whose batch is under way.
    turn: sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// How many came so far.
    tickets: u64,
}

#[derive(Debug)]
struct Entry {
    ticket: u64,
    run: Run,
    fate: oneshot::Sender<Fate>,
}

impl Run {
    /// None if messages have the same id, or are more than a batch can hold.
    pub(super) fn new(messages: Vec<Message>) -> Option<Self> {
        let distinct = messages.iter().map(id).collect::<HashSet<_>>().len();
        (distinct == messages.len() && distinct <= MOST).then_some(Self(messages))
    }
}

fn id(message: &Message) -> Option<&str> {
    let id = message.headers.get(header::NATS_MESSAGE_ID)?;
    Some(id.as_str())
}

impl Group {
    /// Whoever has the turn sends what waits, and tells the others. Ends within 7 s: 2 s until the run
    /// is taken along, and 5 s for the batch.
    pub(super) async fn append(&self, js: &jetstream::Context, run: Run) -> Fate {
        let (fate, mut told) = oneshot::channel();
        let ticket = self.waiting().push(run, fate);
        let deadline = Deadline::after(TRY);
        loop {
            let turn = tokio::select! {
                biased;
                fate = &mut told => return known(fate),
                turn = deadline.wait_for(self.turn.lock()) => turn,
            };
            match turn {
                Ok(_turn) => {
                    let entries = self.waiting().take();
                    send(js, entries).await;
                }
                Err(elapsed) if self.waiting().leave(ticket) => {
                    return Fate::Failed(AppendError::Unavailable(elapsed.into()));
                }
                Err(_taken_along) => return known(told.await),
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever took the run along may be gone before the log answered. What that one sent came before
/// anything that is sent now, and the log recognises it.
fn known(told: Result<Fate, RecvError>) -> Fate {
    told.unwrap_or(Fate::Alone)
}

impl Waiting {
    fn push(&mut self, run: Run, fate: oneshot::Sender<Fate>) -> u64 {
        let ticket = self.tickets;
        self.tickets += 1;
        self.entries.push_back(Entry { ticket, run, fate });
        ticket
    }

    /// Takes along what fits into a batch, in the order in which it came. What nobody waits for any
    /// more is not sent: its caller took it for not stored.
    fn take(&mut self) -> Vec<Entry> {
        self.entries.retain(|entry| !entry.fate.is_closed());
        let mut ids = HashSet::new();
        let mut fits = |entry: &Entry| {
            let messages = &entry.run.0;
            let room = MOST - ids.len();
            let is_new = |message| id(message).is_some_and(|id| !ids.contains(id));
            let fits = messages.len() <= room && messages.iter().all(is_new);
            if fits {
                ids.extend(messages.iter().filter_map(id).map(str::to_owned));
            }
            fits
        };
        let count = self.entries.iter().take_while(|entry| fits(entry)).count();
        self.entries.drain(..count).collect()
    }

    /// Whether it was still there.
    fn leave(&mut self, ticket: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.ticket != ticket);
        self.entries.len() < before
    }
}

async fn send(js: &jetstream::Context, entries: Vec<Entry>) {
    let batch: Vec<_> = entries
        .iter()
        .flat_map(|entry| entry.run.0.iter().cloned())
        .collect();
    let verdict = if batch.len() < LEAST {
        Ok(None)
    } else {
        append(js, &batch, Deadline::after(TOTAL)).await.map(Some)
    };
    let mut behind = batch.len() as u64;
    for Entry { run, fate, .. } in entries {
        let its = match &verdict {
            Ok(Some(Verdict::Stored(ack))) => Fate::Stored {
                stream: ack.stream.clone(),
                first: ack.sequence + 1 - behind,
            },
            Ok(None | Some(Verdict::Conflict { .. })) | Err(AppendError::Rejected(_)) => {
                Fate::Alone
            }
            Err(error) => Fate::Failed(error.again()),
        };
        behind -= run.0.len() as u64;
        if fate.send(its).is_err() {
            tracing::debug!("nobody waits for what became of events any more");
        }
    }
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;

    fn run(ids: impl IntoIterator<Item = u32>) -> Option<Run> {
        let message = |number: u32| {
            let mut headers = HeaderMap::new();
            headers.insert(header::NATS_MESSAGE_ID, number.to_string());
            Message {
                subject: "a.b".to_owned(),
                headers,
                body: "{}".into(),
            }
        };
        Run::new(ids.into_iter().map(message).collect())
    }

    fn sizes(entries: &[Entry]) -> Vec<usize> {
        entries.iter().map(|entry| entry.run.0.len()).collect()
    }

    #[test]
    fn a_batch_takes_what_fits_in_the_order_in_which_it_came() {
        let mut waiting = Waiting::default();
        let mut callers = Vec::new();
        for ids in [0..400, 400..900, 900..1200, 1200..1201] {
            let (fate, told) = oneshot::channel();
            waiting.push(run(ids).unwrap(), fate);
            callers.push(told);
        }
        assert_eq!(sizes(&waiting.take()), [400, 500]);
        assert_eq!(sizes(&waiting.take()), [300, 1]);
        assert!(waiting.take().is_empty());
    }

    #[test]
    fn a_message_that_is_sent_twice_at_once_goes_in_two_batches() {
        assert!(run([1, 2, 1]).is_none());
        let mut waiting = Waiting::default();
        let mut callers = Vec::new();
        for ids in [[1, 2], [3, 2], [4, 5]] {
            let (fate, told) = oneshot::channel();
            waiting.push(run(ids).unwrap(), fate);
            callers.push(told);
        }
        assert_eq!(waiting.take().len(), 1);
        assert_eq!(waiting.take().len(), 2);
    }

    #[test]
    fn who_waits_no_longer_leaves_and_knows_whether_the_run_was_taken_along() {
        let mut waiting = Waiting::default();
        let [(first, _told), (second, _), (third, told)] = [1, 2, 3].map(|id| {
            let (fate, told) = oneshot::channel();
            (waiting.push(run([id]).unwrap(), fate), told)
        });
        assert!(waiting.leave(second));
        drop(told);
        assert_eq!(waiting.take().len(), 1, "the caller of the third is gone");
        assert!(!waiting.leave(first));
        assert!(!waiting.leave(third));
    }
}
