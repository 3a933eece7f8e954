//! The stores of one run, ours or somebody's, and the variables that lead to them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use doran_supervisor::data::DataFolder;
use doran_supervisor::environment::{self, Variables};
use doran_supervisor::process::Exit;
use doran_supervisor::programs::{self, Program, Report};
use doran_supervisor::secret;
use doran_supervisor::servers::{Nats, Postgres, Purpose, Redis, Server, Sync, major_version_of};

/// For the last one to end, when all were asked at the same time.
const PATIENCE: Duration = Duration::from_secs(10);
const REDIS_DATABASES: u32 = 16;

/// A store for which the caller set this variable is used, and none is started.
const EXTERNAL: [&str; 3] = ["NATS_URL", "DATABASE_URL", "REDIS_URL"];

/// Passed on with them.
const EXTERNAL_LOGINS: [&str; 6] = [
    "NATS_USER",
    "NATS_PASSWORD",
    "NATS_OBSERVER_USER",
    "NATS_OBSERVER_PASSWORD",
    "NATS_SYSTEM_USER",
    "NATS_SYSTEM_PASSWORD",
];

/// The server programs that have to be started.
pub(super) struct Needed {
    nats: Option<PathBuf>,
    postgres: Option<PathBuf>,
    redis: Option<PathBuf>,
}

pub(super) struct Deployment {
    servers: Vec<Server>,
    pub(super) variables: Variables,
}

impl Needed {
    /// Finds or fetches what is not given by a URL.
    pub(super) fn locate(data: &DataFolder, report: Report<'_>) -> Result<Self> {
        let [nats, postgres, redis] = EXTERNAL.map(|name| external(name, report));
        let find = |program, major| programs::locate(program, major, report);
        let path = |found: Result<programs::Found>| found.map(|found| found.path);
        let major = major_version_of(data.path());
        Ok(Self {
            nats: (!nats)
                .then(|| path(find(Program::Nats, None)))
                .transpose()?,
            postgres: (!postgres)
                .then(|| path(find(Program::Postgres, major)))
                .transpose()?,
            redis: (!redis)
                .then(|| path(find(Program::Redis, None)))
                .transpose()?,
        })
    }
}

impl Deployment {
    /// Starts the stores one after the other; each takes a fraction of a second.
    pub(super) fn start(needed: &Needed, data: &DataFolder, logs: &Path) -> Result<Self> {
        let mut variables = given();
        variables.extend(secrets(data)?);
        // Filled step by step, so that a failure stops in order what runs already.
        let mut deployment = Self {
            servers: Vec::new(),
            variables,
        };
        if let Some(program) = &needed.nats {
            let nats = Nats::start(program, data, logs, Sync::Always)?;
            deployment.add(nats.variables(), nats.server);
        }
        if let Some(program) = &needed.postgres {
            let postgres = Postgres::start(program, data, logs, Purpose::Keep)?;
            deployment.add(postgres.variables(), postgres.server);
        }
        if let Some(program) = &needed.redis {
            let redis = Redis::start(program, data, logs, REDIS_DATABASES)?;
            deployment.add(redis.variables(), redis.server);
        }
        Ok(deployment)
    }

    fn add(&mut self, variables: Variables, server: Server) {
        self.variables.extend(variables);
        self.servers.push(server);
    }

    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub(super) fn exits(&self) -> Vec<Exit> {
        self.servers.iter().filter_map(Server::exit).collect()
    }

    pub(super) fn ask_to_stop(&mut self) {
        self.servers.iter_mut().for_each(Server::ask_to_stop);
    }

    pub(super) fn kill(&mut self) {
        self.servers.iter_mut().for_each(Server::kill);
    }
}

impl Drop for Deployment {
    /// In order, when a start fails half-way; otherwise they have ended.
    fn drop(&mut self) {
        self.ask_to_stop();
        for exit in self.exits() {
            exit.wait_for(PATIENCE);
        }
    }
}

fn external(name: &str, report: Report<'_>) -> bool {
    let is_set = environment::variable(name).is_some();
    if is_set {
        report(&format!("using the server that {name} names"));
    }
    is_set
}

/// What the caller told us of external stores.
fn given() -> Variables {
    let names = EXTERNAL.into_iter().chain(EXTERNAL_LOGINS);
    names
        .filter_map(|name| Some((name.to_owned(), environment::variable(name)?)))
        .collect()
}

/// Keys that belong to the data: made once, and needed as long as the data are.
fn secrets(data: &DataFolder) -> Result<Variables> {
    let folder = secrets_folder(data);
    secret::create_folder(&folder)?;
    let mail = data.path().join("mail");
    secret::create_folder(&mail)?;
    let (master, signing) = (folder.join("master.key"), folder.join("signing.pem"));
    secret::kept(&master, secret::symmetric_key)?;
    secret::kept(&signing, secret::signing_key)?;
    let paths = [
        ("DORAN_MASTER_KEY_FILE", master),
        ("DORAN_SIGNING_KEY_FILE", signing),
        ("MAIL_DIR", mail),
    ];
    let variables = paths.map(|(name, path)| (name.to_owned(), path.display().to_string()));
    let ours = variables
        .into_iter()
        .filter(|(name, _)| environment::variable(name).is_none());
    Ok(ours.collect())
}

/// Beside the data, so that a copy of the data alone opens nothing.
pub(super) fn secrets_folder(data: &DataFolder) -> PathBuf {
    if data.is_temporary() {
        data.path().join("secrets")
    } else {
        super::home().join("secrets")
    }
}
