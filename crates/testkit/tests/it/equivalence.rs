//! Every read model gives the same rows whatever the batches, however often they are applied.
//!
//! Histories are made from the schemas of the events, so a new event or read model is covered as
//! soon as its folder is there. They hold what the guards of the log would let in: an aggregate is
//! created once, and nothing happens to it before. Nor does it matter whether the keys of those who
//! were erased are still there when a history is read.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    ops::Range,
};

use doran_projection::ReadModel;
use doran_supervisor::workspace;
use doran_testkit::{TestDatabase, TestPostgres};
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::PgPoolOptions,
    types::{Json, Uuid},
};
use tokio::runtime::Runtime;

use crate::event_names::read_models;

/// Who joins a room is not in it, and who leaves it is: `crates/chat/src/read_side/tests.rs` makes
/// such histories.
const TRIED_ELSEWHERE: [&str; 1] = ["rooms"];
const CASES: u32 = 24;
const LONGEST: usize = 40;
/// People, rooms and so on that a history knows.
const IDS: u64 = 3;

/// Stream, type and schema of every event.
fn language() -> Vec<(String, String, Value)> {
    let mut language = Vec::new();
    for stream in fs::read_dir(workspace().join("streams/schemas")).unwrap() {
        let stream = stream.unwrap();
        for file in fs::read_dir(stream.path()).unwrap() {
            let path = file.unwrap().path();
            let schema = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let (event_type, _) = stem.split_once(".v").unwrap();
            let stream = stream.file_name().into_string().unwrap();
            language.push((stream, event_type.to_owned(), schema));
        }
    }
    language.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    language
}

/// Choices of a history, one number after the other.
struct Choices<'a> {
    numbers: &'a [u64],
    next: usize,
}

impl Choices<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        let number = self.numbers[self.next % self.numbers.len()];
        self.next += 1;
        number.rotate_left(u32::try_from(self.next % 64).unwrap()) % bound
    }

    /// Something that fits the schema.
    fn value(&mut self, schema: &Value, all: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            return self.value(&all["$defs"][name], all);
        }
        if let Some(options) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            let chosen = self.below(options.len() as u64);
            return self.value(&options[usize::try_from(chosen).unwrap()], all);
        }
        if let Some(values) = schema["enum"].as_array() {
            let chosen = self.below(values.len() as u64);
            return values[usize::try_from(chosen).unwrap()].clone();
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        match &schema["type"] {
            Value::Array(types) => {
                let chosen = self.below(types.len() as u64);
                let mut one = schema.clone();
                one["type"] = types[usize::try_from(chosen).unwrap()].clone();
                self.value(&one, all)
            }
            Value::String(name) => self.typed(name, schema, all),
            other => panic!("a schema of no type that is known here: {other} in {schema}"),
        }
    }

    fn typed(&mut self, name: &str, schema: &Value, all: &Value) -> Value {
        match name {
            "null" => Value::Null,
            "boolean" => json!(self.below(2) == 0),
            "integer" => json!(self.below(LONGEST as u64)),
            "string" => match schema["format"].as_str() {
                Some("uuid") => json!(Uuid::from_u128(u128::from(1 + self.below(IDS)))),
                Some("date-time") => json!(time(self.below(1000))),
                Some("date") => json!(format!("2026-11-{:02}", 1 + self.below(3))),
                _ => json!(format!("text {}", self.below(5))),
            },
            "array" => {
                let length = self.below(3);
                let items = (0..length).map(|_| self.value(&schema["items"], all));
                let mut items: Vec<Value> = items.collect();
                items.dedup();
                Value::Array(items)
            }
            "object" => {
                let Some(properties) = schema["properties"].as_object() else {
                    let of_all = &schema["additionalProperties"];
                    if !of_all.is_object() {
                        return json!({});
                    }
                    return json!({ "figure": self.value(of_all, all) });
                };
                let fields = properties.iter();
                let fields = fields.map(|(name, schema)| (name.clone(), self.value(schema, all)));
                Value::Object(fields.collect())
            }
            other => panic!("a schema of type {other}"),
        }
    }
}

fn time(second: u64) -> String {
    format!(
        "2026-11-01T00:{:02}:{:02}.000Z",
        second / 60 % 60,
        second % 60
    )
}

/// One event as a statement takes it.
#[derive(Clone)]
struct Event {
    event_type: String,
    row: Value,
}

fn id(field: &Value) -> Option<u128> {
    Some(field.as_str()?.parse::<Uuid>().ok()?.as_u128())
}

/// What a stream may hold.
fn history(stream: &str, language: &[(String, String, Value)], numbers: &[u64]) -> Vec<Event> {
    let types: Vec<_> = language.iter().filter(|(of, ..)| of == stream).collect();
    let mut choices = Choices { numbers, next: 0 };
    let mut created = HashSet::new();
    let mut events: Vec<Event> = Vec::new();
    for _ in numbers {
        let chosen = choices.below(types.len() as u64);
        let (_, event_type, schema) = types[usize::try_from(chosen).unwrap()];
        let mut row = choices.value(schema, schema);
        let aggregate = match stream {
            "USER" => row["userId"].clone(),
            "CHATROOM" => row["roomId"].clone(),
            "SESSION" => row["sessionId"].clone(),
            "MESSAGE" | "JOB" | "STORE" => Value::Null,
            other => panic!("say which field of {other} names the aggregate"),
        };
        let is_creation = ["Created", "Started"]
            .iter()
            .any(|end| event_type.ends_with(end));
        let is_new = created.insert(aggregate.to_string());
        if !aggregate.is_null() && is_new != is_creation {
            if is_new {
                created.remove(&aggregate.to_string());
            }
            continue;
        }
        if let (Some(room), Some(message)) = (id(&row["roomId"]), id(&row["messageId"])) {
            // A message's id is derived from its room, so it never lies in two.
            row["messageId"] = json!(Uuid::from_u128(message + u128::from(IDS) * room));
        }
        let sequence = events.len() + 1;
        row["sequence"] = json!(sequence);
        row["eventId"] = json!(Uuid::from_u128(sequence as u128));
        row["time"] = json!(time(sequence as u64));
        row["actor"] = Value::Null;
        row["type"] = json!(event_type);
        row["subject"] = json!(format!("{stream}.{aggregate}.{event_type}"));
        // What the services' enriching adds, in the form it adds it.
        row["nameTokens"] = json!([sequence, 7]);
        row["searchTokens"] = json!(format!("{{{sequence},7}}"));
        events.push(Event {
            event_type: event_type.clone(),
            row,
        });
    }
    events
}

/// The same history as a rebuild reads it when the keys of erased authors are gone: in what they had
/// written there are no words any more. None if that makes no difference.
fn without_erased_keys(events: &[Event]) -> Option<Vec<Event>> {
    let mut events = events.to_vec();
    let mut erased = HashSet::new();
    let mut is_other = false;
    for event in events.iter_mut().rev() {
        let row = &mut event.row;
        let room = row["roomId"].clone();
        if event.event_type == "AuthorErased" {
            erased.insert((room, row["userId"].clone()));
        } else if erased.contains(&(room, row["content"]["key"].clone())) {
            row["searchTokens"] = json!("{}");
            is_other = true;
        }
    }
    is_other.then_some(events)
}

/// The tables of a service, and what fills them.
struct Tables {
    pool: PgPool,
    models: Vec<ReadModel>,
    _database: TestDatabase,
}

impl Tables {
    async fn make(service: &str, models: Vec<ReadModel>) -> Self {
        let database = TestPostgres::database().await;
        let options = (*database.pool().connect_options()).clone();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options.options([("search_path", "tables")]));
        let mut files: Vec<_> = ["", "_schema"]
            .into_iter()
            .filter_map(|end| {
                fs::read_dir(workspace().join(format!("migrations/{service}{end}"))).ok()
            })
            .flatten()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "no migrations for {service}");
        let migrations = files.iter().map(|file| fs::read_to_string(file).unwrap());
        let migrations = std::iter::once("create schema tables;".to_owned()).chain(migrations);
        for sql in migrations {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
        Self {
            pool,
            models,
            _database: database,
        }
    }

    async fn clear(&self) {
        let tables: Vec<_> = self
            .models
            .iter()
            .flat_map(ReadModel::tables)
            .cloned()
            .collect();
        let sql = format!("truncate {}", tables.join(", "));
        sqlx::query(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Applies a history in batches that end at `cuts`, each `times` times, as the runner does.
    async fn fill(&self, model: &ReadModel, events: &[Event], cuts: &[usize], times: usize) {
        let statements: BTreeMap<_, _> = model.statements().collect();
        for batch in batches(events.len(), cuts) {
            for _ in 0..times {
                let wanted = events[batch.clone()].iter();
                let wanted: Vec<_> = wanted
                    .filter(|event| statements.contains_key(event.event_type.as_str()))
                    .collect();
                for group in wanted.chunk_by(|a, b| a.event_type == b.event_type) {
                    let rows: Vec<_> = group.iter().map(|event| &event.row).collect();
                    let sql = statements[group[0].event_type.as_str()].to_owned();
                    let applied = sqlx::query(AssertSqlSafe(sql)).bind(Json(rows));
                    applied.execute(&self.pool).await.unwrap();
                }
            }
        }
    }

    async fn rows(&self, model: &ReadModel) -> String {
        let mut rows = Vec::new();
        for table in model.tables() {
            let sql = format!("select jsonb_agg(t order by to_jsonb(t)::text) from {table} t");
            let found: Option<Json<Value>> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&self.pool)
                .await
                .unwrap();
            rows.push(json!({ table: found.map(|Json(found)| found) }));
        }
        serde_json::to_string_pretty(&rows).unwrap()
    }
}

fn batches(length: usize, cuts: &[usize]) -> Vec<Range<usize>> {
    let mut ends: Vec<_> = cuts.iter().map(|cut| cut % (length + 1)).collect();
    ends.extend([0, length]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

async fn holds(
    tables: &Tables,
    model: &ReadModel,
    events: &[Event],
    cuts: &[usize],
) -> Result<bool, TestCaseError> {
    let one_by_one: Vec<_> = (0..events.len()).collect();
    tables.clear().await;
    tables.fill(model, events, &one_by_one, 1).await;
    let expected = tables.rows(model).await;
    for (cuts, times) in [(cuts, 1), (cuts, 2), (&[][..], 1)] {
        tables.clear().await;
        tables.fill(model, events, cuts, times).await;
        proptest::prop_assert_eq!(&tables.rows(model).await, &expected, "{}", model.name());
    }
    tables.fill(model, events, cuts, 1).await;
    proptest::prop_assert_eq!(&tables.rows(model).await, &expected, "{}", model.name());
    if let Some(events) = without_erased_keys(events) {
        tables.clear().await;
        tables.fill(model, &events, cuts, 1).await;
        proptest::prop_assert_eq!(&tables.rows(model).await, &expected, "{}", model.name());
    }
    // A table without rows is written as null.
    Ok(expected.lines().any(|line| line.ends_with(": [")))
}

/// The property for every read model of a service.
fn hold_for(service: &str) {
    let language = language();
    let (_, models) = read_models()
        .into_iter()
        .find(|(name, _)| name == service)
        .unwrap();
    let runtime = Runtime::new().unwrap();
    let tables = runtime.block_on(Tables::make(service, models));
    let is_tried_here = |model: &&ReadModel| !TRIED_ELSEWHERE.contains(&model.name());
    for model in tables.models.iter().filter(is_tried_here) {
        let histories = (vec(any::<u64>(), 1..LONGEST), vec(any::<usize>(), 0..8));
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        });
        let filled_once = std::cell::Cell::new(false);
        runner
            .run(&histories, |(numbers, cuts)| {
                let events = history(model.stream(), &language, &numbers);
                let has_rows = runtime.block_on(holds(&tables, model, &events, &cuts))?;
                filled_once.set(filled_once.get() || has_rows);
                Ok(())
            })
            .unwrap();
        assert!(filled_once.get(), "no history gave {} a row", model.name());
    }
}

#[test]
fn read_models_of_auth_do_not_depend_on_batches() {
    hold_for("auth");
}

#[test]
fn read_models_of_user_do_not_depend_on_batches() {
    hold_for("user");
}

#[test]
fn read_models_of_chat_do_not_depend_on_batches() {
    hold_for("chat");
}

#[test]
fn read_models_of_store_do_not_depend_on_batches() {
    hold_for("store");
}

#[test]
fn read_models_of_batch_do_not_depend_on_batches() {
    hold_for("batch");
}

#[test]
fn every_service_with_read_models_is_tried() {
    let services: Vec<_> = read_models()
        .into_iter()
        .map(|(service, _)| service)
        .collect();
    for service in &services {
        assert!(
            ["auth", "user", "chat", "store", "batch"].contains(&service.as_str()),
            "{service}"
        );
    }
}
