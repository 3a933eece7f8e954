//! What a service keeps in PostgreSQL: its tables, and the read models that fill them.
//!
//! The service runs it in its own schema; the tools build it once more in another one.

use std::{future::ready, sync::Arc, time::Duration};

use doran_eventstore::Schema;
use doran_projection::{Enrich, ReadModel, Service, ServiceBuilder, SetupError, Status};
use rust_embed::RustEmbed;
use sqlx::{PgPool, migrate::Migration};

use crate::{
    Platform,
    database::{self, DatabaseError},
    http::Probe,
};

#[derive(Clone)]
pub struct ReadSide {
    /// Where the service itself has it.
    pub schema: &'static str,
    migrations: fn() -> Result<Vec<Migration>, DatabaseError>,
    read_models: Vec<ReadModel>,
    events: Vec<Schema>,
    enrich: Vec<(&'static str, Arc<dyn Enrich>)>,
}

impl ReadSide {
    /// `M` embeds the service's folder below `migrations/`.
    pub fn new<M: RustEmbed>(schema: &'static str, read_models: Vec<ReadModel>) -> Self {
        Self {
            schema,
            migrations: database::files::<M>,
            read_models,
            events: Vec::new(),
            enrich: Vec::new(),
        }
    }

    /// Adds event types that the statements may be named after.
    #[must_use]
    pub fn events(mut self, schema: Schema) -> Self {
        self.events.push(schema);
        self
    }

    /// Registers what enriches the events of a read model.
    #[must_use]
    pub fn enrich(mut self, read_model: &'static str, enrich: Arc<dyn Enrich>) -> Self {
        self.enrich.push((read_model, enrich));
        self
    }

    /// What fills the tables.
    pub fn read_models(&self) -> impl Iterator<Item = &ReadModel> {
        self.read_models.iter()
    }

    /// Makes `schema` if it is missing, and brings its tables up to date.
    pub async fn migrate(&self, pool: &PgPool, schema: &str) -> Result<(), DatabaseError> {
        database::run(pool, schema, (self.migrations)()?).await
    }

    /// The read models over the tables in `schema`, not running yet.
    pub fn service(
        &self,
        platform: &Platform,
        pool: PgPool,
        schema: &str,
    ) -> Result<Service, SetupError> {
        self.builder(platform, pool, schema).build()
    }

    /// As [`ReadSide::service`], to be adjusted.
    pub fn builder(&self, platform: &Platform, pool: PgPool, schema: &str) -> ServiceBuilder {
        let clock = platform.clock.clone();
        let clock = Arc::new(move || clock.now());
        let builder = Service::builder(schema, pool, platform.logs.clone(), clock)
            .read_models(self.read_models.iter().cloned());
        let builder = self
            .events
            .iter()
            .copied()
            .fold(builder, ServiceBuilder::events);
        let enrich = self.enrich.iter();
        enrich.fold(builder, |builder, (read_model, enrich)| {
            builder.enrich(read_model, Arc::clone(enrich))
        })
    }
}

/// What goes wrong for so long is told to whoever asks.
const FAILING: Duration = Duration::from_secs(5);

/// Shows read models that stand still: queries go on, with older and older rows.
pub fn read_models_probe(name: &'static str, service: Arc<Service>) -> Probe {
    Probe::optional(name, move || {
        let statuses = service.status();
        let troubles: Vec<_> = statuses.iter().filter_map(trouble).collect();
        ready(if troubles.is_empty() {
            Ok(())
        } else {
            Err(troubles.join("; "))
        })
    })
}

fn trouble(status: &Status) -> Option<String> {
    let read_model = &status.read_model;
    if let Some(halt) = status.halted() {
        return Some(format!("{read_model} stands still: {halt}"));
    }
    let failing = status.failing.as_ref()?;
    (failing.lasting >= FAILING).then(|| {
        let (seconds, error) = (failing.lasting.as_secs(), &failing.error);
        format!("{read_model} fails at every try for {seconds} s: {error}")
    })
}
