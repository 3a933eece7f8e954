//! `<schema>_next` and what fills it: made, caught up, compared, swapped in.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use doran_eventstore::{LogReader, Position};
use doran_platform::{Platform, database};
use doran_projection::{
    Service, Status, Tasks,
    rebuild::{Comparison, Rebuild},
};
use serde_json::{Value, json};

use super::ServiceName;
use crate::{exit::dependency, output, progress::Progress};

/// Events that one transaction takes: a rebuild has no reader who waits.
const BATCH: usize = 5_000;
const GLANCE: Duration = Duration::from_millis(100);

pub(super) struct Next {
    rebuild: Rebuild,
    service: Service,
    tasks: Tasks,
    json: bool,
    end: HashMap<String, u64>,
}

impl Next {
    /// Opens `<schema>_next` as an earlier run left it, or makes it; then its read models run.
    pub(super) async fn open(platform: &Platform, name: ServiceName, json: bool) -> Result<Self> {
        Self::run(platform, name, rebuild(platform, name)?, &[], json).await
    }

    /// The same in a schema called `schema`, with nothing after `end`.
    pub(super) async fn open_past(
        platform: &Platform,
        name: ServiceName,
        schema: &str,
        end: &[Position],
        json: bool,
    ) -> Result<Self> {
        let rebuild = rebuild(platform, name)?.called(schema);
        Self::run(platform, name, rebuild, end, json).await
    }

    async fn run(
        platform: &Platform,
        name: ServiceName,
        rebuild: Rebuild,
        end: &[Position],
        json: bool,
    ) -> Result<Self> {
        let read_side = name.read_side(platform)?;
        let found = rebuild.found().await.map_err(dependency)?;
        let (schema, owner) = (rebuild.next().to_owned(), rebuild.owner().await?);
        let pool = database::pool_as(&platform.config, &schema, owner.as_deref())?;
        let builder = read_side.builder(platform, pool.clone(), &schema);
        let service = builder.batch_size(BATCH).in_step().until(end).build()?;
        rebuild.create_next().await.map_err(dependency)?;
        read_side.migrate(&pool, &schema).await?;
        if !found.next {
            rebuild.set_indexes_aside(&service).await?;
        }
        let tasks = Tasks::default();
        service.run(&tasks);
        let next = Self {
            rebuild,
            service,
            tasks,
            json,
            end: end
                .iter()
                .map(|end| (end.stream.clone(), end.sequence))
                .collect(),
        };
        let how = if found.next { "goes on" } else { "begins" };
        next.say(
            &json!({ "phase": how, "schema": schema }),
            &format!("{schema}: {how}"),
        )?;
        Ok(next)
    }

    /// Returns when everything is applied that the log held at the call, and the indexes are there.
    pub(super) async fn fill(&self, platform: &Platform) -> Result<()> {
        let began = Instant::now();
        let events = self.catch_up(platform, "replaying").await?;
        let seconds = began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
        let rate = events as f64 / seconds.max(0.001);
        self.say(
            &json!({ "phase": "replayed", "events": events, "seconds": seconds, "eventsPerSecond": rate }),
            &format!("{events} positions in {seconds:.1} s, {rate:.0} a second"),
        )?;
        let building = |name: &str| {
            tracing::info!(name, "building an index");
        };
        self.rebuild.build_indexes(&self.service, building).await?;
        self.catch_up(platform, "catching up").await?;
        Ok(())
    }

    /// Compares every table with the one in use; fails if one differs.
    pub(super) async fn compare(&self) -> Result<()> {
        let mut differ = 0;
        for compared in self.rebuild.compare(&self.service).await? {
            differ += usize::from(!compared.is_equal);
            self.say(&as_json(&compared), &as_text(&compared))?;
        }
        if differ > 0 {
            bail!(
                "{differ} tables differ; {} is kept to be looked at, `doran projections abort` drops it",
                self.rebuild.next()
            );
        }
        Ok(())
    }

    /// Puts it in the place of the schema in use.
    pub(super) async fn swap(self) -> Result<()> {
        self.rebuild.swap().await?;
        self.stop().await;
        let (live, previous) = (self.rebuild.live(), self.rebuild.previous());
        self.say(
            &json!({ "phase": "swapped", "schema": live, "previous": previous }),
            &format!("{live} is the new one; the one before is {previous}"),
        )
    }

    pub(super) async fn stop(&self) {
        self.tasks.cancel.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }

    /// Drops it.
    pub(super) async fn abort(self) -> Result<()> {
        self.stop().await;
        self.rebuild.abort().await.map_err(dependency)
    }

    /// Waits until every read model has reached the head that its stream has now. Returns how many
    /// positions that were.
    async fn catch_up(&self, platform: &Platform, what: &'static str) -> Result<u64> {
        let mut heads = HashMap::new();
        for read_model in self.service.read_models() {
            let stream = read_model.stream().to_owned();
            let head = LogReader::new(platform.js.clone(), stream.as_str())
                .head()
                .await;
            let end = self.end.get(&stream).copied().unwrap_or(u64::MAX);
            heads.insert(stream, head.map_err(dependency)?.min(end));
        }
        let head = |status: &Status| heads.get(&status.stream).copied().unwrap_or_default();
        let reached = |status: &Status| status.position.min(head(status));
        let total = self.service.status().iter().map(head).sum();
        let mut progress = Progress::new(what, total);
        loop {
            let all = self.service.status();
            if let Some(halt) = all.iter().find_map(Status::halted) {
                bail!("{}: {halt}", self.rebuild.next());
            }
            let done: u64 = all.iter().map(reached).sum();
            progress.at(done);
            if done >= total {
                progress.end();
                return Ok(total);
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    fn say(&self, json: &Value, text: &str) -> Result<()> {
        if self.json {
            output::json(json)
        } else {
            Ok(output::line(text)?)
        }
    }
}

/// The schemas of a service, for somebody who may change all of them.
pub(super) fn rebuild(platform: &Platform, name: ServiceName) -> Result<Rebuild> {
    let pool = database::pool(&platform.config, name.schema())?;
    Ok(Rebuild::new(pool, name.schema()))
}

fn as_json(compared: &Comparison) -> Value {
    json!({
        "phase": "compared",
        "readModel": compared.read_model,
        "table": compared.table,
        "position": compared.position,
        "liveRows": compared.live_rows,
        "nextRows": compared.next_rows,
        "isEqual": compared.is_equal,
    })
}

fn as_text(compared: &Comparison) -> String {
    let Comparison {
        read_model,
        table,
        position,
        live_rows,
        next_rows,
        is_equal,
    } = compared;
    let verdict = if *is_equal { "equal" } else { "DIFFERENT" };
    format!("{read_model}.{table} at {position}: {live_rows} and {next_rows} rows, {verdict}")
}
