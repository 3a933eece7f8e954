//! A shop: orders are placed, amended and cancelled, baskets are filled beside them.

use std::{sync::Arc, time::Duration};

use async_nats::{HeaderMap, jetstream};
use chrono::{DateTime, Utc};
use doran_eventstore::{Position, Schema, Upcaster, envelope, topology::INCARNATION};
use doran_projection::{Clock, Positions, ReadModel, Service, ServiceBuilder, Status, Tasks};
use doran_testkit::{TestDatabase, TestNats, TestPostgres};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(crate) const STREAM: &str = "SHOP";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The client waits for acknowledgements rather than have more than 5000 messages unanswered.
const IN_FLIGHT: usize = 1000;
pub(crate) const EVENTS: Schema = Schema {
    types: &[
        ("OrderPlaced", 1),
        ("OrderAmended", 2),
        ("OrderCancelled", 1),
    ],
    upcasters: &[Upcaster {
        event_type: "OrderAmended",
        from_version: 1,
        upcast: amended_from_cents,
    }],
};

const ORDERS: [(&str, &str); 4] = [
    ("projection.toml", include_str!("orders.toml")),
    ("OrderPlaced.sql", include_str!("OrderPlaced.sql")),
    ("OrderAmended.sql", include_str!("OrderAmended.sql")),
    ("OrderCancelled.sql", include_str!("OrderCancelled.sql")),
];
const TALLIES: [(&str, &str); 3] = [
    ("projection.toml", include_str!("tallies.toml")),
    ("OrderPlaced.sql", include_str!("tally.sql")),
    ("OrderAmended.sql", include_str!("tally.sql")),
];

/// Version 1 said the amount in cents.
fn amended_from_cents(mut body: Value) -> Value {
    let cents = body["cents"].as_i64().unwrap();
    body["amount"] = json!(cents / 100);
    body
}

pub(crate) fn orders() -> ReadModel {
    ReadModel::try_new("orders", ORDERS).unwrap()
}

pub(crate) fn tallies() -> ReadModel {
    ReadModel::try_new("tallies", TALLIES).unwrap()
}

/// `orders` with one of its files replaced.
pub(crate) fn orders_with(file: &str, text: &str) -> ReadModel {
    let files = ORDERS.map(|(path, original)| (path, if path == file { text } else { original }));
    ReadModel::try_new("orders", files).unwrap()
}

pub(crate) fn clock() -> Clock {
    Arc::new(|| DateTime::from_timestamp(1_750_000_000, 0).unwrap())
}

pub(crate) struct Shop {
    pub(crate) nats: TestNats,
    pub(crate) js: jetstream::Context,
    pub(crate) pool: PgPool,
    _database: Option<TestDatabase>,
}

/// What a test runs; stopped when it is dropped.
pub(crate) struct Running {
    pub(crate) service: Service,
    pub(crate) tasks: Tasks,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let database = TestPostgres::database().await;
        let pool = database.pool();
        create_tables(&pool, "shop").await;
        Self::with(pool, Some(database)).await
    }

    pub(crate) async fn open_on(pool: PgPool) -> Self {
        create_tables(&pool, "shop").await;
        Self::with(pool, None).await
    }

    async fn with(pool: PgPool, database: Option<TestDatabase>) -> Self {
        let nats = TestNats::start().await;
        let shop = Self {
            js: nats.jetstream().await,
            nats,
            pool,
            _database: database,
        };
        shop.create_stream("first").await;
        shop
    }

    pub(crate) async fn create_stream(&self, incarnation: &str) {
        self.js
            .create_stream(jetstream::stream::Config {
                name: STREAM.to_owned(),
                subjects: vec!["order.>".to_owned(), "basket.>".to_owned()],
                allow_direct: true,
                metadata: [(INCARNATION.to_owned(), incarnation.to_owned())].into(),
                ..Default::default()
            })
            .await
            .unwrap();
    }

    pub(crate) async fn delete_stream(&self) {
        self.js.delete_stream(STREAM).await.unwrap();
    }

    pub(crate) fn builder(&self) -> ServiceBuilder {
        Service::builder("shop", self.pool.clone(), self.js.clone(), clock()).events(EVENTS)
    }

    /// The same in the schema that is built beside the one in use.
    pub(crate) fn builder_of_next(&self) -> ServiceBuilder {
        Service::builder("shop_next", self.pool.clone(), self.js.clone(), clock()).events(EVENTS)
    }

    pub(crate) fn run(&self, read_models: impl IntoIterator<Item = ReadModel>) -> Running {
        Running::new(self.builder().read_models(read_models))
    }

    pub(crate) async fn place(&self, order: &str, amount: i64) -> u64 {
        self.append(
            "OrderPlaced",
            1,
            order,
            json!({"orderId": order, "amount": amount}),
        )
        .await
    }

    /// Places `o0`, `o1`, … without waiting in between.
    pub(crate) async fn place_many(&self, count: u64) -> u64 {
        let mut last = 0;
        for from in (0..count).step_by(IN_FLIGHT) {
            let mut acks = Vec::new();
            for n in from..count.min(from + IN_FLIGHT as u64) {
                let body = json!({"orderId": format!("o{n}"), "amount": n}).to_string();
                let subject = format!("order.o{n}.OrderPlaced");
                acks.push(self.send(&subject, "OrderPlaced", 1, body.into()).await);
            }
            for ack in acks {
                last = ack.await.unwrap().sequence;
            }
        }
        last
    }

    pub(crate) async fn amend(&self, order: &str, amount: i64) -> u64 {
        self.append(
            "OrderAmended",
            2,
            order,
            json!({"orderId": order, "amount": amount}),
        )
        .await
    }

    pub(crate) async fn cancel(&self, order: &str) -> u64 {
        self.append("OrderCancelled", 1, order, json!({"orderId": order}))
            .await
    }

    /// An event that no read model wants.
    pub(crate) async fn fill_basket(&self) -> u64 {
        self.publish("basket.7.BasketFilled", "BasketFilled", 1, "{}".into())
            .await
    }

    pub(crate) async fn append(
        &self,
        event_type: &str,
        version: u32,
        order: &str,
        body: Value,
    ) -> u64 {
        let subject = format!("order.{order}.{event_type}");
        self.publish(&subject, event_type, version, body.to_string().into())
            .await
    }

    pub(crate) async fn publish(
        &self,
        subject: &str,
        event_type: &str,
        version: u32,
        body: bytes::Bytes,
    ) -> u64 {
        self.send(subject, event_type, version, body)
            .await
            .await
            .unwrap()
            .sequence
    }

    /// Sends without waiting for the acknowledgement.
    pub(crate) async fn send(
        &self,
        subject: &str,
        event_type: &str,
        version: u32,
        body: bytes::Bytes,
    ) -> jetstream::context::PublishAckFuture {
        let mut headers = HeaderMap::new();
        let id = Uuid::from_u128(rand_id());
        headers.insert(envelope::EVENT_ID, id.to_string());
        headers.insert(envelope::EVENT_TYPE, event_type);
        headers.insert(envelope::VERSION, version.to_string());
        headers.insert(envelope::TIME, "2025-01-02T03:04:05.678Z");
        headers.insert(envelope::ACTOR, "clerk");
        self.js
            .publish_with_headers(subject.to_owned(), headers, body)
            .await
            .unwrap()
    }

    /// When the server stored an event.
    pub(crate) async fn stored_at(&self, sequence: u64) -> DateTime<Utc> {
        let stream = self.js.get_stream_no_info(STREAM).await.unwrap();
        let time = stream.get_raw_message(sequence).await.unwrap().time;
        DateTime::from_timestamp(time.unix_timestamp(), time.nanosecond()).unwrap()
    }

    /// `order_id amount status sequence`, by order.
    pub(crate) async fn orders(&self) -> Vec<(String, i64, String, i64)> {
        self.orders_in("shop").await
    }

    pub(crate) async fn orders_in(&self, schema: &str) -> Vec<(String, i64, String, i64)> {
        let select = format!(
            "select order_id, amount, status, sequence from {schema}.orders order by order_id"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(select))
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn tallies(&self) -> Vec<(String, i64)> {
        sqlx::query_as("select order_id, events from shop.tallies order by order_id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn stored_position(&self, read_model: &str) -> i64 {
        sqlx::query_scalar("select sequence from shop.projection_position where read_model = $1")
            .bind(read_model)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }
}

impl Running {
    pub(crate) fn new(builder: ServiceBuilder) -> Self {
        let service = builder.build().unwrap();
        let tasks = Tasks::default();
        service.run(&tasks);
        Self { service, tasks }
    }

    pub(crate) fn positions(&self) -> Positions {
        self.service.positions()
    }

    pub(crate) async fn reached(&self, sequence: u64) {
        let wanted = [Position::new(STREAM, sequence)];
        if let Err(error) = self.positions().wait(&wanted, PATIENCE).await {
            panic!("{error}: {:?}", self.service.status());
        }
    }

    pub(crate) fn status_of(&self, read_model: &str) -> Status {
        let mut all = self.service.status().into_iter();
        all.find(|status| status.read_model == read_model).unwrap()
    }

    /// Waits until the status of a read model is as wanted.
    pub(crate) async fn until(&self, read_model: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status_of(read_model);
            if is_so(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "it stayed {status:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn stop(&self) {
        self.tasks.cancel.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.cancel.cancel();
    }
}

pub(crate) async fn create_tables(pool: &PgPool, schema: &str) {
    let ddl = format!(
        "create schema {schema};
         create table {schema}.orders (
             order_id text primary key,
             amount bigint not null check (amount >= 0),
             status text not null,
             placed_by text,
             sequence bigint not null
         );
         create table {schema}.tallies (order_id text primary key, events bigint not null);"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(ddl))
        .execute(pool)
        .await
        .unwrap();
}

pub(crate) fn row(
    order: &str,
    amount: i64,
    status: &str,
    sequence: u64,
) -> (String, i64, String, i64) {
    (
        order.to_owned(),
        amount,
        status.to_owned(),
        sequence.cast_signed(),
    )
}

fn rand_id() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    u128::from(RandomState::new().hash_one(0)) << 64 | u128::from(RandomState::new().hash_one(1))
}
