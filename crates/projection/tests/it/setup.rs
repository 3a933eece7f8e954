//! What does not fit together is refused before anything runs.

use std::sync::Arc;

use async_trait::async_trait;
use doran_eventstore::Recorded;
use doran_projection::{Enrich, EnrichError, ReadModel, ServiceBuilder};
use serde_json::{Map, Value};
use sqlx::PgPool;

use crate::shop::{EVENTS, clock, orders, orders_with, tallies};

struct Nothing;

#[async_trait]
impl Enrich for Nothing {
    async fn enrich(
        &self,
        _event: &Recorded,
        _body: &str,
    ) -> Result<Map<String, Value>, EnrichError> {
        Ok(Map::new())
    }
}

/// Neither server is asked.
async fn builder(schema: &str) -> ServiceBuilder {
    let client = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .connect("127.0.0.1:9")
        .await
        .unwrap();
    let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:9/none").unwrap();
    let js = async_nats::jetstream::new(client);
    doran_projection::Service::builder(schema, pool, js, clock()).events(EVENTS)
}

fn refusal(builder: ServiceBuilder) -> String {
    builder
        .build()
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[tokio::test]
async fn a_service_that_fits_together_is_built() {
    let service = builder("shop")
        .await
        .read_models([tallies(), orders()])
        .build()
        .unwrap();
    let names: Vec<_> = service.read_models().map(ReadModel::name).collect();
    assert_eq!(names, ["orders", "tallies"]);
}

#[tokio::test]
async fn a_statement_for_an_unknown_event_type_is_refused() {
    let files = [
        ("projection.toml", include_str!("shop/orders.toml")),
        ("OrderPlacd.sql", include_str!("shop/OrderPlaced.sql")),
    ];
    let misspelt = ReadModel::try_new("orders", files).unwrap();
    assert_eq!(
        refusal(builder("shop").await.read_models([misspelt])),
        "orders/OrderPlacd.sql: OrderPlacd is not an event type that is known here"
    );
}

#[tokio::test]
async fn an_enrich_that_is_missing_or_superfluous_is_refused() {
    let toml = include_str!("shop/orders.toml").to_owned() + "enrich = true\n";
    let enriched = orders_with("projection.toml", &toml);
    assert_eq!(
        refusal(builder("shop").await.read_models([enriched])),
        "orders/projection.toml says enrich, but no Enrich is registered under orders"
    );
    assert_eq!(
        refusal(
            builder("shop")
                .await
                .read_models([orders()])
                .enrich("orders", Arc::new(Nothing))
        ),
        "an Enrich is registered under orders, but no read model of that name says enrich"
    );
}

#[tokio::test]
async fn two_writers_of_one_table_are_refused() {
    let toml = include_str!("shop/tallies.toml").replace("[\"tallies\"]", "[\"orders\"]");
    let files = [
        ("projection.toml", toml.as_str()),
        ("OrderPlaced.sql", include_str!("shop/tally.sql")),
    ];
    let other = ReadModel::try_new("other", files).unwrap();
    assert_eq!(
        refusal(builder("shop").await.read_models([orders(), other])),
        "two read models write to the table orders: orders and other"
    );
}

#[tokio::test]
async fn a_schema_name_that_needs_quotes_is_refused() {
    assert_eq!(
        refusal(builder("shop; drop").await.read_models([orders()])),
        "`shop; drop` is not a plain schema name"
    );
}
