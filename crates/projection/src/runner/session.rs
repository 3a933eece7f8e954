//! One leadership: from the lock to its loss.

use std::{collections::HashSet, convert::Infallible, iter, sync::Arc, time::Duration};

use sqlx::{Connection, PgConnection};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at},
};
use uuid::Uuid;

use super::{Ended, apply, connect, prepare::Prepared, read, statistics::Statistics};
use crate::{
    Halt, Tasks,
    checkpoint::{self, Place},
    halted,
    notice::{self, Notice},
    parked,
    service::Model,
    tables,
    tracker::Advance,
};

/// How often a follower asks for the lock.
const ELECTION_EVERY: Duration = Duration::from_millis(500);
/// How long events that are known to be on their way may be waited for.
const FILL: Duration = Duration::from_millis(20);
/// Transactions begin at least so far apart, so that events which come one by one share them. Each
/// costs a commit in every read model of the stream, and together they are dearer than storing the
/// event. What comes after a rest, and what somebody waits for, is applied at once.
const PACE: Duration = Duration::from_millis(20);
/// The next transaction begins after so many times what the last one took: on a busy machine they
/// take longer, and would keep it busy.
const PACE_PER_TRANSACTION: u32 = 4;
/// So much later than need be an event may be applied.
const LONGEST_PACE: Duration = Duration::from_millis(25);
const PING_EVERY: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) struct Session<'a> {
    pub(super) model: &'a Model,
    pub(super) connection: PgConnection,
    /// What the row in `projection_position` says.
    pub(super) place: Place,
    /// Aggregates that have events in `projection_parked`.
    pub(super) parked: HashSet<String>,
    statistics: Statistics,
    leadership: Uuid,
}

/// Waits for the lock, then applies events until something stands against it.
pub(super) async fn lead(model: &Arc<Model>, tasks: &Tasks) -> Result<Infallible, Ended> {
    let mut connection = connect(model).await?;
    let leadership = elect(model, &mut connection).await?;
    let mut session = timeout(DEADLINE, Session::open(model, connection, leadership))
        .await
        .map_err(Ended::retry)??;
    let (sender, mut receiver) = mpsc::channel(2 * model.batch_size);
    let reading = tasks.child();
    let _stop_reading = reading.cancel.clone().drop_guard();
    reading.spawn(read::read(
        Arc::clone(model),
        session.place.sequence + 1,
        sender,
    ));
    session.run(&mut receiver).await
}

/// How far apart two transactions begin, if the first took so long.
fn pace(took: Duration) -> Duration {
    (took * PACE_PER_TRANSACTION).clamp(PACE, LONGEST_PACE)
}

/// What the leader of a read model holds, as an advisory lock of its session.
pub(crate) fn lock_name(schema: &str, read_model: &str) -> String {
    format!("projection:{schema}:{read_model}")
}

/// Returns with the lock, and a name for the time it is held.
async fn elect(model: &Model, connection: &mut PgConnection) -> Result<Uuid, Ended> {
    let lock = lock_name(&model.schema, model.name());
    loop {
        let tried = sqlx::query_as(
            "select pg_try_advisory_lock(hashtextextended($1, 0)), gen_random_uuid()",
        )
        .bind(&lock)
        .fetch_one(&mut *connection);
        let (is_elected, leadership) = timeout(DEADLINE, tried).await.map_err(Ended::retry)??;
        if is_elected {
            return Ok(leadership);
        }
        model.tracker.stand_by();
        sleep(ELECTION_EVERY).await;
    }
}

impl<'a> Session<'a> {
    async fn open(
        model: &'a Model,
        mut connection: PgConnection,
        leadership: Uuid,
    ) -> Result<Self, Ended> {
        tables::ensure(&mut connection).await?;
        let log = model.log();
        let reach = log.reach().await?;
        let checkpoint = checkpoint::open(&mut connection, model, &reach.incarnation).await?;
        if let Some(halt) = checkpoint.objection(model, &log, &reach).await? {
            return Err(Ended::Halted(halt));
        }
        halted::clear(&mut connection, model).await?;
        let parked = parked::aggregates(&mut connection, model.name()).await?;
        let session = Self {
            leadership,
            place: checkpoint.place(),
            model,
            statistics: Statistics::open(&mut connection, model).await?,
            connection,
            parked,
        };
        model
            .tracker
            .lead(session.leadership, session.place.sequence);
        session.tell().await;
        tracing::info!(
            schema = %model.schema,
            read_model = model.name(),
            position = session.place.sequence,
            "leading"
        );
        Ok(session)
    }

    async fn run(
        &mut self,
        prepared: &mut mpsc::Receiver<Result<Prepared, Halt>>,
    ) -> Result<Infallible, Ended> {
        let mut skips = self.model.tracker.watch_skips();
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(self.model.batch_size);
        let mut not_before = Instant::now();
        loop {
            tokio::select! {
                biased;
                received = prepared.recv_many(&mut batch, self.model.batch_size) => {
                    if received == 0 {
                        return Err(Ended::retry("the log is not read any more"));
                    }
                    self.fill(&mut batch, prepared, not_before).await;
                    let began = Instant::now();
                    self.take(&mut batch).await?;
                    not_before = began + pace(began.elapsed());
                }
                changed = skips.changed() => {
                    changed.map_err(Ended::retry)?;
                    self.skip(&mut skips).await?;
                }
                _ = ping.tick() => self.look_around().await?,
            }
        }
    }

    /// Waits a moment for more while more is known to be there. Otherwise rests until its time has
    /// come or somebody waits, and takes along what came meanwhile.
    async fn fill(
        &self,
        batch: &mut Vec<Result<Prepared, Halt>>,
        prepared: &mut mpsc::Receiver<Result<Prepared, Halt>>,
        not_before: Instant,
    ) {
        let filled = not_before.max(Instant::now() + FILL);
        let head = self.model.tracker.head();
        while let Some(Ok(last)) = batch.last() {
            let room = self.model.batch_size.saturating_sub(batch.len());
            if room == 0 {
                return;
            }
            if last.recorded.sequence >= head {
                self.rest(not_before).await;
                batch.extend(iter::from_fn(|| prepared.try_recv().ok()).take(room));
                return;
            }
            match timeout_at(filled, prepared.recv_many(batch, room)).await {
                Ok(received) if received > 0 => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Not woken by every event: many come in the time of one transaction.
    async fn rest(&self, until: Instant) {
        tokio::select! {
            () = sleep_until(until) => {}
            () = self.model.tracker.until_hastened() => {}
        }
    }

    async fn take(&mut self, batch: &mut Vec<Result<Prepared, Halt>>) -> Result<(), Ended> {
        let mut events = Vec::with_capacity(batch.len());
        let mut halt = None;
        for prepared in batch.drain(..) {
            match prepared {
                Ok(event) => events.push(event),
                Err(reason) => halt = Some(reason),
            }
        }
        if !events.is_empty() {
            self.model.tracker.record_batch(events.len());
            apply::apply(self, &events).await?;
            let (statistics, connection) = (&mut self.statistics, &mut self.connection);
            let told = statistics.applied(connection, self.model, events.len());
            timeout(DEADLINE, told).await.map_err(Ended::retry)??;
        }
        halt.map_or(Ok(()), |halt| Err(Ended::Halted(halt)))
    }

    /// Moves over events that are not for this read model, while none comes that is.
    async fn skip(&mut self, skips: &mut watch::Receiver<Advance>) -> Result<(), Ended> {
        let Advance { from, to } = *skips.borrow_and_update();
        let position = self.place.sequence;
        if position < from || position >= to {
            return Ok(());
        }
        let event_id = self.model.log().event_id(to).await?.flatten();
        let place = Place {
            sequence: to,
            event_id,
        };
        let moved = checkpoint::compare_and_set(&mut self.connection, self.model, position, place);
        if !timeout(DEADLINE, moved).await.map_err(Ended::retry)?? {
            return Err(Ended::Fenced);
        }
        self.moved_to(place).await;
        Ok(())
    }

    /// After a commit: those who wait may go on, here and elsewhere.
    pub(super) async fn moved_to(&mut self, place: Place) {
        self.place = place;
        self.model.tracker.advance(place.sequence);
        self.tell().await;
    }

    async fn tell(&self) {
        self.model.tracker.set_parked(self.parked.len());
        let notice = Notice {
            leadership: self.leadership,
            position: self.place.sequence,
            parked: self.parked.len() as u64,
        };
        let client = self.model.connections.logs.js().client();
        notice::publish(&client, &self.model.schema, self.model.name(), notice).await;
    }

    /// While nothing comes: is the connection, and with it the lock, still there? Was a parked
    /// aggregate mended?
    async fn look_around(&mut self) -> Result<(), Ended> {
        let looked = async {
            if self.parked.is_empty() {
                self.connection.ping().await
            } else {
                self.parked = parked::aggregates(&mut self.connection, self.model.name()).await?;
                Ok(())
            }
        };
        timeout(DEADLINE, looked).await.map_err(Ended::retry)??;
        self.tell().await;
        Ok(())
    }
}
