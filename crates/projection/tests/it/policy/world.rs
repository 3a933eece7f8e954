//! Orders that are placed, and a policy that ships a parcel for each.
//!
//! A parcel remembers nothing by itself: only the command id keeps it from being shipped twice.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::{HeaderMap, jetstream};
use async_trait::async_trait;
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use doran_eventstore::{EventSourced, JetStreamStore, LogReader, Recorded, Schema, envelope};
use doran_projection::{
    Tasks,
    policy::{Declaration, Failure, Policy, Running, Start, Timing, run},
};
use doran_testkit::TestNats;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::shop::{PATIENCE, clock};

pub(super) const SHIP: Declaration = Declaration {
    service: "shop",
    name: "ship-orders",
    version: 1,
    stream: "SHOP",
    filters: &["order.*.OrderPlaced", "order.*.OrderAmended"],
    start: Start::New,
};

pub(super) const QUICK: Timing = Timing {
    ack_wait: Duration::from_millis(400),
    first_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(100),
    deliveries: 4,
    in_flight: 256,
};

#[derive(Clone, Default, Serialize, Deserialize)]
struct Parcel;

/// The sequence of the order's event that it was shipped for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum ParcelEvent {
    Shipped { order_sequence: u64 },
}

#[derive(Debug, thiserror::Error)]
#[error("a parcel refuses nothing")]
struct Never;

impl DomainEvent for ParcelEvent {
    fn event_type(&self) -> String {
        "Shipped".to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Parcel {
    const TYPE: &'static str = "parcel";
    type Command = u64;
    type Event = ParcelEvent;
    type Error = Never;
    type Services = ();

    async fn handle(
        &mut self,
        order_sequence: u64,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Never> {
        sink.write(ParcelEvent::Shipped { order_sequence }, self)
            .await;
        Ok(())
    }

    fn apply(&mut self, _: ParcelEvent) {}
}

impl EventSourced for Parcel {
    const STREAM: &'static str = "PARCEL";
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        Schema {
            types: &[("Shipped", 1)],
            upcasters: &[],
        }
    }

    fn taken(_: &str) -> Never {
        Never
    }
}

/// What goes wrong with an order, by its id.
pub(super) type Trouble = Arc<Mutex<Vec<(&'static str, Wrong)>>>;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wrong {
    ForEver,
    ForNow,
}

struct Ship {
    declaration: Declaration,
    parcels: JetStreamStore<Parcel>,
    trouble: Trouble,
    handled: Arc<AtomicUsize>,
    /// Dies when it has executed so many commands, before anybody notes it.
    dies_after: Option<usize>,
    tasks: Tasks,
}

#[async_trait]
impl Policy for Ship {
    type Command = String;

    fn declaration(&self) -> Declaration {
        self.declaration
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<String>, Failure> {
        let order = order_of(event);
        let trouble = self.trouble.lock().unwrap().clone();
        match trouble.iter().find(|(of, _)| *of == order) {
            Some((_, Wrong::ForEver)) => Err(Failure::permanent("it is cursed")),
            Some((_, Wrong::ForNow)) => Err(Failure::transient("nobody is there")),
            None => Ok(vec![order]),
        }
    }

    async fn execute(&self, event: &Recorded, order: String) -> Result<(), Failure> {
        let ctx = self.declaration.context(event, &order, clock()());
        self.parcels
            .execute(&(), &order, event.sequence, &ctx)
            .await?;
        let handled = self.handled.fetch_add(1, Ordering::SeqCst) + 1;
        if self.dies_after == Some(handled) {
            self.tasks.cancel.cancel();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn order_of(event: &Recorded) -> String {
    event.subject.split('.').nth(1).unwrap().to_owned()
}

pub(super) struct World {
    pub(super) nats: TestNats,
    pub(super) js: jetstream::Context,
    pub(super) trouble: Trouble,
}

/// A process that runs the policy; ended when it is dropped.
pub(super) struct Process {
    pub(super) running: Running,
    pub(super) handled: Arc<AtomicUsize>,
    tasks: Tasks,
}

impl World {
    pub(super) async fn open() -> Self {
        let nats = TestNats::with_streams().await;
        let js = nats.jetstream().await;
        for (name, subjects) in [("SHOP", "order.*.*"), ("PARCEL", "parcel.*.*")] {
            js.create_stream(jetstream::stream::Config {
                name: name.to_owned(),
                subjects: vec![subjects.to_owned()],
                allow_direct: true,
                ..Default::default()
            })
            .await
            .unwrap();
        }
        Self {
            nats,
            js,
            trouble: Arc::default(),
        }
    }

    /// Starts a process and waits until its consumer is there.
    pub(super) async fn start(&self, declaration: Declaration) -> Process {
        let process = self.spawn(declaration, None).await;
        process.until(Result::is_ok).await;
        process
    }

    /// Starts a process that dies right after so many commands.
    pub(super) async fn start_mortal(&self, commands: usize) -> Process {
        self.spawn(SHIP, Some(commands)).await
    }

    pub(super) async fn spawn(
        &self,
        declaration: Declaration,
        dies_after: Option<usize>,
    ) -> Process {
        let js = self.nats.jetstream().await;
        let (tasks, handled) = (Tasks::default(), Arc::new(AtomicUsize::new(0)));
        let policy = Ship {
            declaration,
            parcels: JetStreamStore::new(js.clone()),
            trouble: Arc::clone(&self.trouble),
            handled: Arc::clone(&handled),
            dies_after,
            tasks: tasks.clone(),
        };
        Process {
            running: run(policy, js, clock(), QUICK, &tasks),
            handled,
            tasks,
        }
    }

    pub(super) async fn place(&self, order: &str) -> u64 {
        self.append(order, "OrderPlaced").await
    }

    pub(super) async fn amend(&self, order: &str) -> u64 {
        self.append(order, "OrderAmended").await
    }

    async fn append(&self, order: &str, event_type: &str) -> u64 {
        let mut headers = HeaderMap::new();
        let stored = self.head("SHOP").await;
        headers.insert(
            envelope::EVENT_ID,
            Uuid::from_u128(u128::from(stored) + 1).to_string(),
        );
        headers.insert(envelope::EVENT_TYPE, event_type);
        let subject = format!("order.{order}.{event_type}");
        let ack = self
            .js
            .publish_with_headers(subject, headers, "{}".into())
            .await;
        ack.unwrap().await.unwrap().sequence
    }

    async fn head(&self, stream: &str) -> u64 {
        LogReader::new(self.js.clone(), stream)
            .head()
            .await
            .unwrap()
    }

    /// Each parcel that was shipped: its order, and the sequence of the order's event.
    pub(super) async fn shipped(&self) -> Vec<(String, u64)> {
        let parcels = LogReader::new(self.js.clone(), "PARCEL");
        let events = parcels.read("parcel.*.*", 1, 100_000).await.unwrap();
        let read = |event: &Recorded| {
            let ParcelEvent::Shipped { order_sequence } = event.decode(&Parcel::schema()).unwrap();
            (order_of(event), order_sequence)
        };
        events.iter().map(read).collect()
    }

    pub(super) async fn until_shipped(&self, parcels: usize) {
        until(async || self.head("PARCEL").await >= parcels as u64).await;
    }

    /// Waits until the policy has acknowledged everything there is.
    pub(super) async fn until_done(&self, declaration: &Declaration) {
        until(async || {
            let report = doran_projection::policy::report(&self.js, declaration).await;
            report.is_ok_and(|report| report.waiting + report.under_way == 0)
        })
        .await;
    }
}

impl Process {
    pub(super) async fn until(&self, is_so: impl Fn(&Result<(), String>) -> bool) {
        until(async || is_so(&self.running.health())).await;
    }

    pub(super) async fn until_dead(&self) {
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.tasks.cancel.cancel();
    }
}

pub(super) async fn until(is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it did not come to be so");
        sleep(Duration::from_millis(5)).await;
    }
}
