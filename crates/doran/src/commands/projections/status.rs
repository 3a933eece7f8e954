//! `doran projections status`: how far every read model is behind its stream.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use async_nats::jetstream;
use chrono::{DateTime, Utc};
use doran_contract::Timestamp;
use doran_eventstore::LogReader;
use doran_platform::{Config, database, nats};
use serde::Serialize;
use sqlx::PgPool;

use super::ServiceName;
use crate::{exit::dependency, output};

/// Show where each read model stands, and how many events its stream is ahead
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections status --json")]
pub(crate) struct Status {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

/// One read model against its stream.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    schema: String,
    read_model: String,
    stream: String,
    position: u64,
    head: u64,
    lag_events: u64,
    /// Events that wait for a repair.
    parked: u64,
    state: State,
    /// Why it stands still, and the mend.
    halted: Option<String>,
    updated_at: Timestamp,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    UpToDate,
    Behind,
    Parked,
    /// It stands still until somebody acts.
    Halted,
    /// Its tables come from another log than the server's: it will not go on.
    OtherLog,
}

#[derive(sqlx::FromRow)]
struct Stored {
    read_model: String,
    stream: String,
    incarnation: String,
    sequence: i64,
    updated_at: DateTime<Utc>,
    parked: i64,
    #[sqlx(skip)]
    halted: Option<String>,
}

struct Head {
    sequence: u64,
    incarnation: Option<String>,
}

impl Status {
    pub(crate) async fn run(self) -> Result<()> {
        let client = nats::connect(&self.config, "doran projections")
            .await
            .map_err(dependency)?;
        let js = jetstream::new(client);
        let rows = rows(&self.config, &js).await?;
        if self.json {
            return rows.iter().try_for_each(output::json);
        }
        let headings = [
            "READ MODEL",
            "STREAM",
            "POSITION",
            "HEAD",
            "BEHIND",
            "PARKED",
            "STATE",
            "UPDATED",
        ];
        output::table(headings, rows.iter().map(Row::columns))?;
        let mut halted = rows.iter().filter_map(Row::halt);
        Ok(halted.try_for_each(|line| output::line(&line))?)
    }
}

/// Every read model, also of rebuilds that are under way.
async fn rows(config: &Config, js: &jetstream::Context) -> Result<Vec<Row>> {
    let mut heads = HashMap::new();
    let mut rows = Vec::new();
    // A rebuild that is under way has its own, beside those in use.
    let in_use = ServiceName::schemas().map(str::to_owned);
    let next = in_use.clone().map(|schema| format!("{schema}_next"));
    for schema in in_use.into_iter().chain(next) {
        let pool = database::pool(config, &schema).map_err(dependency)?;
        let stored = stored(&pool).await.map_err(dependency).with_context(|| {
            format!("the schema {schema} cannot be read; is DATABASE_URL right?")
        })?;
        for stored in stored {
            if !heads.contains_key(&stored.stream) {
                heads.insert(stored.stream.clone(), head(js, &stored.stream).await?);
            }
            rows.extend(
                heads
                    .get(&stored.stream)
                    .map(|head| Row::new(&schema, stored, head)),
            );
        }
    }
    Ok(rows)
}

/// All read models in one line, or what ails one of them and its mend.
pub(in crate::commands) async fn health(
    config: &Config,
    js: &jetstream::Context,
) -> Result<String> {
    let rows = rows(config, js).await?;
    let of = |state: fn(&State) -> bool| {
        let names = rows.iter().filter(|row| state(&row.state));
        let names: Vec<_> = names
            .map(|row| format!("{}.{}", row.schema, row.read_model))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(halt) = rows.iter().find_map(Row::halt) {
        bail!("{halt}");
    }
    if let Some(names) = of(|state| matches!(state, State::OtherLog)) {
        bail!("made from another log: {names}; run `doran projections rebuild`");
    }
    if let Some(names) = of(|state| matches!(state, State::Parked)) {
        bail!("events are parked: {names}; see `doran projections parked`");
    }
    let behind = rows.iter().map(|row| row.lag_events).max().unwrap_or(0);
    Ok(format!(
        "{} of them, at most {behind} events behind",
        rows.len()
    ))
}

impl Row {
    fn new(schema: &str, stored: Stored, head: &Head) -> Self {
        let position = stored.sequence.cast_unsigned();
        let parked = stored.parked.cast_unsigned();
        let is_foreign = head.incarnation.as_deref().unwrap_or_default() != stored.incarnation;
        let state = if is_foreign || head.sequence < position {
            State::OtherLog
        } else if stored.halted.is_some() {
            State::Halted
        } else if parked > 0 {
            State::Parked
        } else if position < head.sequence {
            State::Behind
        } else {
            State::UpToDate
        };
        Self {
            schema: schema.to_owned(),
            read_model: stored.read_model,
            stream: stored.stream,
            position,
            head: head.sequence,
            lag_events: head.sequence.saturating_sub(position),
            parked,
            state,
            halted: stored.halted,
            updated_at: stored.updated_at.into(),
        }
    }

    /// What it says of itself, and where.
    fn halt(&self) -> Option<String> {
        let halt = self.halted.as_ref()?;
        Some(format!(
            "{}.{} stands still: {halt}",
            self.schema, self.read_model
        ))
    }

    fn columns(&self) -> [String; 8] {
        let state = match self.state {
            State::UpToDate => "up to date",
            State::Behind => "behind",
            State::Parked => "parked",
            State::Halted => "halted",
            State::OtherLog => "other log",
        };
        [
            format!("{}.{}", self.schema, self.read_model),
            self.stream.clone(),
            self.position.to_string(),
            self.head.to_string(),
            self.lag_events.to_string(),
            self.parked.to_string(),
            state.to_owned(),
            self.updated_at.to_string(),
        ]
    }
}

/// What the schema's tables say; nothing before its service has run for the first time.
async fn stored(pool: &PgPool) -> Result<Vec<Stored>, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar(
        "select to_regclass('projection_position') is not null
            and to_regclass('projection_parked') is not null",
    )
    .fetch_one(pool)
    .await?;
    if !is_there {
        return Ok(Vec::new());
    }
    let mut stored: Vec<Stored> = sqlx::query_as(
        "select p.read_model, p.stream, p.incarnation, p.sequence, p.updated_at,
                (select count(*) from projection_parked k where k.read_model = p.read_model) as parked
         from projection_position p
         order by p.read_model",
    )
    .fetch_all(pool)
    .await?;
    let halted = halted(pool).await?;
    for stored in &mut stored {
        stored.halted = halted.get(&stored.read_model).cloned();
    }
    Ok(stored)
}

/// Why read models stand still; tables of an older release do not say.
async fn halted(pool: &PgPool) -> Result<HashMap<String, String>, sqlx::Error> {
    let is_told: bool = sqlx::query_scalar("select to_regclass('projection_halted') is not null")
        .fetch_one(pool)
        .await?;
    if !is_told {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> =
        sqlx::query_as("select read_model, reason from projection_halted")
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().collect())
}

async fn head(js: &jetstream::Context, stream: &str) -> Result<Head> {
    let reader = LogReader::new(js.clone(), stream);
    let unreadable = || format!("stream {stream} cannot be read; `doran streams check` says why");
    Ok(Head {
        sequence: reader
            .head()
            .await
            .map_err(dependency)
            .with_context(unreadable)?,
        incarnation: reader
            .incarnation()
            .await
            .map_err(dependency)
            .with_context(unreadable)?,
    })
}
