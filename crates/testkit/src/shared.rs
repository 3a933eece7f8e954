//! What the tests of one process, or of one `./dev test`, have in common.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Result;
use doran_supervisor::data::DataFolder;
use doran_supervisor::environment;
use doran_supervisor::programs::{self, Program};
use doran_supervisor::servers::{Postgres, Purpose, Redis};

/// Set by `./dev test`: the servers of the run.
pub(crate) const POSTGRES: &str = "DORAN_TEST_POSTGRES";
pub(crate) const REDIS: &str = "DORAN_TEST_REDIS";

/// How many numbered databases a test Redis has.
pub(crate) const REDIS_DATABASES: u32 = 4096;

/// A server of this process: it lives until the process ends, and dies with it.
struct Own<S> {
    url: String,
    _server: S,
    _data: DataFolder,
}

/// The path of a server program, found or fetched once per process.
pub(crate) fn program(program: Program) -> Result<PathBuf> {
    Ok(programs::locate(program, None, &|_| ())?.path)
}

/// The URL of the shared PostgreSQL's first database.
pub(crate) fn postgres() -> Result<String> {
    static SERVER: OnceLock<Own<Postgres>> = OnceLock::new();
    shared(POSTGRES, &SERVER, || {
        let data = DataFolder::temporary()?;
        let path = program(Program::Postgres)?;
        let server = Postgres::start(&path, &data, data.path(), Purpose::Test)?;
        Ok(Own {
            url: server.url("postgres"),
            _server: server,
            _data: data,
        })
    })
}

/// The URL of the shared Redis's first database.
pub(crate) fn redis() -> Result<String> {
    static SERVER: OnceLock<Own<Redis>> = OnceLock::new();
    shared(REDIS, &SERVER, || {
        let data = DataFolder::temporary()?;
        let path = program(Program::Redis)?;
        let server = Redis::start(&path, &data, data.path(), REDIS_DATABASES)?;
        Ok(Own {
            url: server.url(0),
            _server: server,
            _data: data,
        })
    })
}

fn shared<S>(
    variable: &str,
    server: &OnceLock<Own<S>>,
    start: impl FnOnce() -> Result<Own<S>>,
) -> Result<String> {
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(url) = environment::variable(variable) {
        return Ok(url);
    }
    // `OnceLock` cannot fail to start, and two tests must not start two.
    let _guard = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if server.get().is_none() {
        let started = start()?;
        server.get_or_init(|| started);
    }
    server
        .get()
        .map(|own| own.url.clone())
        .ok_or_else(|| anyhow::anyhow!("it did not start"))
}
