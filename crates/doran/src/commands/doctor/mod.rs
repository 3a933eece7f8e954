//! `doran doctor`: what the roles depend on, one line each with its state and its mend.

mod server;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use async_nats::{Client, jetstream};
use doran_eventstore::topology::{CheckOptions, TopologyError};
use doran_platform::{
    Clock, Config,
    access_token::Signer,
    keyring::{self, Keyring},
    nats,
    secret::{MasterKey, SecretError},
    streams,
};
use futures_util::StreamExt;
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::projections::{self, ServiceName};
use crate::{exit, output};

/// How long each of them may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Look at every server, stream and key that the roles need, and say how to mend what is wrong
///
/// Ends with code 3 if something is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran doctor --json")]
pub(crate) struct Doctor {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

/// What was found out about one dependency.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    name: &'static str,
    is_well: bool,
    /// What it is like, or what is wrong and how to mend it.
    text: String,
}

impl Doctor {
    pub(crate) async fn run(self) -> Result<()> {
        let client =
            patiently(async { Ok(nats::connect(&self.config, "doran doctor").await?) }).await;
        let js = client.as_ref().ok().cloned().map(jetstream::new);
        let log = js.as_ref();
        let findings = [
            Finding::new("NATS", client.map(|client| version(&client))),
            Finding::new("rights", self.of_log(log, Self::rights).await),
            Finding::new("streams", self.of_log(log, Self::streams).await),
            Finding::new("durability", self.of_log(log, Self::durability).await),
            Finding::new("disk", self.of_log(log, Self::disk).await),
            Finding::new("PostgreSQL", patiently(self.postgres()).await),
            Finding::new("read models", self.of_log(log, Self::read_models).await),
            Finding::new("Redis", patiently(self.redis()).await),
            Finding::new("clock", self.of_log(log, Self::clock).await),
            Finding::new("master key", self.of_log(log, Self::master_key).await),
            Finding::new("signing key", self.signing_key()),
        ];
        for finding in &findings {
            if self.json {
                output::json(finding)?;
            } else {
                let state = if finding.is_well { "ok   " } else { "WRONG" };
                output::line(&format!("{state}  {:<11}  {}", finding.name, finding.text))?;
            }
        }
        match findings.iter().filter(|finding| !finding.is_well).count() {
            0 => Ok(()),
            wrong => Err(exit::dependency(anyhow!(
                "{wrong} of {} are wrong",
                findings.len()
            ))),
        }
    }

    /// Asks about something that lies in the log, if there is a log to ask.
    async fn of_log(
        &self,
        js: Option<&jetstream::Context>,
        ask: impl AsyncFnOnce(&Self, &jetstream::Context) -> Result<String>,
    ) -> Result<String> {
        match js {
            Some(js) => patiently(Box::pin(ask(self, js))).await,
            None => bail!("cannot be looked at without NATS"),
        }
    }

    async fn streams(&self, js: &jetstream::Context) -> Result<String> {
        let topology = streams::topology()?;
        let replicas = self.config.replicas.map(usize::from);
        let differences = topology.diff(js, replicas).await?;
        if differences.is_empty() {
            Ok(format!(
                "all {} are as their files say",
                topology.streams.len()
            ))
        } else {
            Err(TopologyError::Differs(differences).into())
        }
    }

    async fn durability(&self, js: &jetstream::Context) -> Result<String> {
        let options = CheckOptions {
            replicas: self.config.replicas.map(usize::from),
            allow_unsynced: self.config.allow_unsynced,
        };
        match streams::topology()?.check(js, options).await {
            Ok(durability) => Ok(format!("an acknowledgement means: {durability}")),
            Err(TopologyError::Differs(_)) => bail!("can be told once the streams are right"),
            Err(error) => Err(error.into()),
        }
    }

    async fn rights(&self, js: &jetstream::Context) -> Result<String> {
        server::rights(&js.client(), self.config.nats_user.as_deref()).await
    }

    async fn disk(&self, js: &jetstream::Context) -> Result<String> {
        server::room(&js.client()).await
    }

    async fn clock(&self, js: &jetstream::Context) -> Result<String> {
        let asked = async {
            let mut connection = PgConnection::connect(&self.config.database_url).await?;
            let now = sqlx::query_scalar("select clock_timestamp()");
            now.fetch_one(&mut connection).await
        };
        // Whether PostgreSQL answers is said above.
        let postgres: Result<_, sqlx::Error> = asked.await;
        let clock = Clock::system();
        server::clock(&js.client(), || clock.now(), postgres.ok()).await
    }

    async fn read_models(&self, js: &jetstream::Context) -> Result<String> {
        projections::health(&self.config, js).await
    }

    async fn postgres(&self) -> Result<String> {
        let mut connection = PgConnection::connect(&self.config.database_url)
            .await
            .context(
                "PostgreSQL does not answer or refuses the log-in; start it, or set DATABASE_URL",
            )?;
        let version: String = sqlx::query_scalar("show server_version")
            .fetch_one(&mut connection)
            .await?;
        let missing: Vec<String> = sqlx::query_scalar(
            "select name from unnest($1::text[]) as name where to_regnamespace(name) is null",
        )
        .bind(ServiceName::schemas().as_slice())
        .fetch_all(&mut connection)
        .await?;
        if !missing.is_empty() {
            let missing = missing.join(", ");
            bail!(
                "version {version}, without schema {missing}; its service makes it when it starts"
            );
        }
        Ok(format!(
            "version {version}, with the schemas {}",
            ServiceName::schemas().join(", ")
        ))
    }

    async fn redis(&self) -> Result<String> {
        let mend = "Redis does not answer or refuses the log-in; start it, or set REDIS_URL";
        let client = redis::Client::open(self.config.redis_url.as_str())
            .context("REDIS_URL is not redis://user:password@host:port")?;
        let mut connection = client
            .get_multiplexed_async_connection()
            .await
            .context(mend)?;
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await
            .context(mend)?;
        let version = info
            .lines()
            .find_map(|line| line.strip_prefix("redis_version:"));
        Ok(format!("version {}", version.unwrap_or("unknown")))
    }

    /// Whether the key opens what was wrapped with it.
    async fn master_key(&self, js: &jetstream::Context) -> Result<String> {
        let path = self
            .config
            .master_key_file
            .as_deref()
            .ok_or(SecretError::NoFile)?;
        let keyring = Keyring::open(js, &MasterKey::open(path)?).await?;
        let mut owners = js.get_key_value(keyring::BUCKET).await?.keys().await?;
        match owners.next().await.transpose()? {
            Some(owner) => {
                keyring.key(owner.parse()?).await?;
                Ok(format!("{} opens the data keys", path.display()))
            }
            None => Ok(format!("{}; there is no data key yet", path.display())),
        }
    }

    fn signing_key(&self) -> Result<String> {
        match self.config.signing_key_file.as_deref() {
            Some(path) => {
                Signer::open(path)?;
                Ok(path.display().to_string())
            }
            None => Ok("none given; only auth needs one".to_owned()),
        }
    }
}

impl Finding {
    fn new(name: &'static str, found: Result<String>) -> Self {
        Self {
            name,
            is_well: found.is_ok(),
            text: found.unwrap_or_else(|error| exit::one_line(&error)),
        }
    }
}

fn version(client: &Client) -> String {
    let server = client.server_info();
    format!(
        "{} at {}:{}, nats-server {}",
        server.server_name, server.host, server.port, server.version
    )
}

async fn patiently<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| anyhow!("no answer within {} s", PATIENCE.as_secs());
    timeout(PATIENCE, answer).await.map_err(late)?
}
