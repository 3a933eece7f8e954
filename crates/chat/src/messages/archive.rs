//! Asking PostgreSQL for messages by id: many questions in one query, and never for long.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use doran_contract::MessageId;
use doran_platform::Lifecycle;
use sqlx::{
    PgPool,
    types::{
        Uuid,
        chrono::{DateTime, Utc},
    },
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::Place;

/// Questions that one query takes.
const BATCH: usize = 256;
/// Questions that may wait; more go unanswered.
const QUEUE: usize = 4096;
/// A sender does not wait longer. Not to know costs a second event, which every reader drops.
const DEADLINE: Duration = Duration::from_millis(250);
/// How long nothing is asked after PostgreSQL did not answer.
const REST: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(crate) struct Archive {
    questions: mpsc::Sender<Question>,
    rests_until: Arc<Mutex<Instant>>,
}

struct Question {
    id: MessageId,
    answer: oneshot::Sender<Result<Option<Place>, NoAnswer>>,
}

/// PostgreSQL did not say in time whether there is such a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer;

impl Archive {
    pub(crate) fn start(pool: PgPool, lifecycle: &Lifecycle) -> Self {
        let (questions, asked) = mpsc::channel(QUEUE);
        let archive = Self {
            questions,
            rests_until: Arc::new(Mutex::new(Instant::now())),
        };
        let (rests_until, stopping) = (
            Arc::clone(&archive.rests_until),
            lifecycle.stopping().clone(),
        );
        lifecycle.spawn(async move {
            let answering = answer(pool, asked, &rests_until);
            stopping.run_until_cancelled(answering).await;
        });
        archive
    }

    /// Where the message lies.
    pub(crate) async fn find(&self, id: MessageId) -> Result<Option<Place>, NoAnswer> {
        if Instant::now() < *lock(&self.rests_until) {
            return Err(NoAnswer);
        }
        let (answer, place) = oneshot::channel();
        let asked = self.questions.try_send(Question { id, answer });
        asked.map_err(|_full| NoAnswer)?;
        let answered = timeout(DEADLINE, place).await;
        answered
            .map_err(|_late| NoAnswer)?
            .map_err(|_gone| NoAnswer)?
    }
}

/// Those who ask while a query is under way are answered together by the next.
async fn answer(pool: PgPool, mut asked: mpsc::Receiver<Question>, rests_until: &Mutex<Instant>) {
    let mut batch = Vec::with_capacity(BATCH);
    while asked.recv_many(&mut batch, BATCH).await > 0 {
        let ids: Vec<_> = batch.iter().map(|question| question.id).collect();
        let places = match timeout(DEADLINE, look_up(&pool, &ids)).await {
            Ok(Ok(places)) => Ok(places),
            Ok(Err(error)) => Err(rest(rests_until, &error)),
            Err(elapsed) => Err(rest(rests_until, &elapsed)),
        };
        for Question { id, answer } in batch.drain(..) {
            let place = places.as_ref().map(|places| places.get(&id).copied());
            if answer.send(place.map_err(|no| *no)).is_err() {
                tracing::debug!("a sender stopped waiting for an earlier message");
            }
        }
    }
}

async fn look_up(
    pool: &PgPool,
    ids: &[MessageId],
) -> Result<HashMap<MessageId, Place>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let rows: Vec<(Uuid, i64, DateTime<Utc>)> =
        sqlx::query_as("select id, seq, created_at from messages where id = any($1)")
            .bind(ids)
            .fetch_all(pool)
            .await?;
    let place = |(id, seq, created_at): (Uuid, i64, DateTime<Utc>)| {
        let place = Place {
            seq: seq.unsigned_abs(),
            created_at: created_at.into(),
        };
        (MessageId::new(id), place)
    };
    Ok(rows.into_iter().map(place).collect())
}

fn rest(rests_until: &Mutex<Instant>, error: &dyn std::error::Error) -> NoAnswer {
    tracing::warn!(%error, "sending goes on without looking for earlier messages in PostgreSQL");
    *lock(rests_until) = Instant::now() + REST;
    NoAnswer
}

fn lock(instant: &Mutex<Instant>) -> std::sync::MutexGuard<'_, Instant> {
    instant.lock().unwrap_or_else(PoisonError::into_inner)
}
