//! The read models of one service: put together, checked, started, looked at.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use doran_eventstore::{LogReader, Logs, Position, Schema};
use sqlx::PgPool;

use crate::{
    Enrich, Positions, ReadModel, Status, Tasks, log::Log, monitor, notice,
    read_model::require_identifier, rebuild, runner, tracker::Tracker,
};

/// The time, passed in.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) pool: PgPool,
    pub(crate) logs: Logs,
}

/// Why a service's read models do not fit together. Found before anything is started.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("`{0}` is not a plain schema name")]
    SchemaName(String),
    #[error("{read_model}/{event_type}.sql: {event_type} is not an event type that is known here")]
    UnknownEventType {
        read_model: String,
        event_type: String,
    },
    #[error("{0}/projection.toml says enrich, but no Enrich is registered under {0}")]
    NoEnrich(String),
    #[error("an Enrich is registered under {0}, but no read model of that name says enrich")]
    UnusedEnrich(String),
    #[error("two read models write to the table {table}: {first} and {second}")]
    SharedTable {
        table: String,
        first: String,
        second: String,
    },
}

/// The read models of one service, all in one schema. See the crate's example.
pub struct Service {
    schema: Arc<str>,
    connections: Connections,
    models: Vec<Arc<Model>>,
}

/// One read model with what it takes to run it.
pub(crate) struct Model {
    pub(crate) schema: Arc<str>,
    pub(crate) definition: ReadModel,
    pub(crate) events: Vec<Schema>,
    pub(crate) enrich: Option<Arc<dyn Enrich>>,
    pub(crate) batch_size: usize,
    /// The last sequence of the stream that is applied; none: there is no end.
    pub(crate) end: Option<u64>,
    pub(crate) clock: Clock,
    pub(crate) connections: Connections,
    pub(crate) tracker: Arc<Tracker>,
}

/// Collects the parts of a [`Service`].
pub struct ServiceBuilder {
    schema: String,
    connections: Connections,
    clock: Clock,
    read_models: Vec<ReadModel>,
    events: Vec<Schema>,
    enrich: HashMap<String, Arc<dyn Enrich>>,
    batch_size: usize,
    ends: HashMap<String, u64>,
}

const BATCH_SIZE: usize = 500;

impl Service {
    /// Begins to put together the read models that live in `schema`.
    pub fn builder(
        schema: &str,
        pool: PgPool,
        logs: impl Into<Logs>,
        clock: Clock,
    ) -> ServiceBuilder {
        ServiceBuilder {
            schema: schema.to_owned(),
            connections: Connections {
                pool,
                logs: logs.into(),
            },
            clock,
            read_models: Vec::new(),
            events: Vec::new(),
            enrich: HashMap::new(),
            batch_size: BATCH_SIZE,
            ends: HashMap::new(),
        }
    }

    /// Runs every read model, each as soon as it is the leader, until `tasks` are cancelled.
    ///
    /// Returns at once, also while NATS or PostgreSQL is away.
    pub fn run(&self, tasks: &Tasks) {
        self.observe(tasks);
        for model in &self.models {
            tasks.spawn(runner::run(Arc::clone(model), tasks.clone()));
        }
    }

    /// Follows the positions that runners in other processes reach, without running anything:
    /// for a process that only answers queries. [`Service::run`] includes it.
    pub fn observe(&self, tasks: &Tasks) {
        let trackers = self.models.iter().map(|model| Arc::clone(&model.tracker));
        let client = self.connections.logs.js().client();
        tasks.spawn(rebuild::watch(client.clone(), Arc::clone(&self.schema)));
        tasks.spawn(notice::listen(
            client,
            Arc::clone(&self.schema),
            trackers.collect(),
        ));
        for model in &self.models {
            tasks.spawn(monitor::watch(Arc::clone(model)));
        }
    }

    /// To wait on. Cheap to clone.
    pub fn positions(&self) -> Positions {
        Positions::new(self.models.iter().map(|model| Arc::clone(&model.tracker)))
    }

    /// How each read model is doing, in the order of their names. Asks nobody.
    pub fn status(&self) -> Vec<Status> {
        self.models
            .iter()
            .map(|model| model.tracker.status())
            .collect()
    }

    /// The schema that the tables are in.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The read models, in the order of their names.
    pub fn read_models(&self) -> impl Iterator<Item = &ReadModel> {
        self.models.iter().map(|model| &model.definition)
    }

    pub(crate) fn models(&self) -> &[Arc<Model>] {
        &self.models
    }

    pub(crate) fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.models
            .iter()
            .find(|model| model.definition.name() == name)
    }

    pub(crate) fn any_model(&self) -> Option<&Arc<Model>> {
        self.models.first()
    }
}

impl ServiceBuilder {
    /// Adds read models.
    #[must_use]
    pub fn read_models(mut self, read_models: impl IntoIterator<Item = ReadModel>) -> Self {
        self.read_models.extend(read_models);
        self
    }

    /// Adds event types that the statements may be named after.
    #[must_use]
    pub fn events(mut self, schema: Schema) -> Self {
        self.events.push(schema);
        self
    }

    /// Registers what enriches the events of a read model.
    #[must_use]
    pub fn enrich(mut self, read_model: &str, enrich: Arc<dyn Enrich>) -> Self {
        self.enrich.insert(read_model.to_owned(), enrich);
        self
    }

    /// How many events one transaction takes at most: 500 unless set, at least 1.
    #[must_use]
    pub fn batch_size(mut self, events: usize) -> Self {
        self.batch_size = events.max(1);
        self
    }

    /// The read models of one stream read their past together, at the pace of the slowest of them.
    ///
    /// That takes the least work in all, and no model of a rebuild is of use before the others.
    #[must_use]
    pub fn in_step(mut self) -> Self {
        self.connections.logs = Logs::in_step(self.connections.logs.js().clone());
        self
    }

    /// Applies nothing after these positions; streams that are not named have no end.
    #[must_use]
    pub fn until(mut self, positions: &[Position]) -> Self {
        let ends = positions
            .iter()
            .map(|end| (end.stream.clone(), end.sequence));
        self.ends.extend(ends);
        self
    }

    /// Checks that the parts fit together.
    pub fn build(mut self) -> Result<Service, SetupError> {
        if require_identifier(&self.schema).is_err() {
            return Err(SetupError::SchemaName(self.schema));
        }
        self.read_models.sort_by(|a, b| a.name().cmp(b.name()));
        for read_model in &self.read_models {
            self.check(read_model)?;
        }
        check_tables(&self.read_models)?;
        let is_used = |name: &str| {
            let mut enriched = self.read_models.iter().filter(|model| model.is_enriched());
            enriched.any(|model| model.name() == name)
        };
        if let Some(unused) = self.enrich.keys().find(|name| !is_used(name)) {
            return Err(SetupError::UnusedEnrich(unused.clone()));
        }
        let schema: Arc<str> = self.schema.as_str().into();
        let models = std::mem::take(&mut self.read_models)
            .into_iter()
            .map(|read_model| {
                Arc::new(Model {
                    schema: Arc::clone(&schema),
                    tracker: Arc::new(Tracker::new(&schema, &read_model)),
                    enrich: self.enrich.get(read_model.name()).cloned(),
                    events: self.events.clone(),
                    batch_size: self.batch_size,
                    end: self.ends.get(read_model.stream()).copied(),
                    clock: Arc::clone(&self.clock),
                    connections: self.connections.clone(),
                    definition: read_model,
                })
            });
        Ok(Service {
            models: models.collect(),
            schema,
            connections: self.connections,
        })
    }

    fn check(&self, read_model: &ReadModel) -> Result<(), SetupError> {
        if read_model.is_enriched() && !self.enrich.contains_key(read_model.name()) {
            return Err(SetupError::NoEnrich(read_model.name().to_owned()));
        }
        let is_known = |event_type: &str| {
            let mut types = self.events.iter().flat_map(|schema| schema.types);
            types.any(|(name, _)| *name == event_type)
        };
        read_model
            .statements()
            .find(|(event_type, _)| !is_known(event_type))
            .map_or(Ok(()), |(event_type, _)| {
                Err(SetupError::UnknownEventType {
                    read_model: read_model.name().to_owned(),
                    event_type: event_type.to_owned(),
                })
            })
    }
}

/// A table has one writer, so that it has one order of events.
fn check_tables(read_models: &[ReadModel]) -> Result<(), SetupError> {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for read_model in read_models {
        for table in read_model.tables() {
            if let Some(first) = owners.insert(table, read_model.name()) {
                return Err(SetupError::SharedTable {
                    table: table.clone(),
                    first: first.to_owned(),
                    second: read_model.name().to_owned(),
                });
            }
        }
    }
    Ok(())
}

impl Model {
    pub(crate) fn name(&self) -> &str {
        self.definition.name()
    }

    pub(crate) fn log(&self) -> Log {
        let js = self.connections.logs.js().clone();
        Log::new(js, self.definition.stream(), self.definition.filters())
    }

    pub(crate) fn reader(&self) -> LogReader {
        self.connections.logs.reader(self.definition.stream())
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}
