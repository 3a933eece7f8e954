//! Real NATS, PostgreSQL and Redis for tests, private to the test or to the run.
//!
//! `./dev test` starts one PostgreSQL and one Redis for the whole run; without it each test
//! process starts its own. Every test gets its own database in them, and its own nats-server,
//! because streams have fixed names. Time stands still until a test moves it. A fixture that cannot start fails its test by panicking.

mod api;
mod asyncapi;
mod clock;
mod closed;
mod cluster;
mod nats;
mod openapi;
mod postgres;
mod redis;
mod shared;
mod streams;

use anyhow::Result;
use doran_supervisor::environment::Variables;

pub use api::{Api, Call, Reply};
pub use asyncapi::{Side, check_close, check_frame, check_reply, check_stomp};
pub use clock::TestClock;
pub use cluster::TestCluster;
pub use doran_supervisor::servers::{NatsUser, Sync};
pub use nats::TestNats;
pub use openapi::check_answer;
pub use postgres::{TestDatabase, TestPostgres};
pub use redis::TestRedis;
pub use streams::topology;

/// The variables with which `doran` finds the servers of a test.
pub fn variables(nats: &TestNats, database: &TestDatabase, redis: &TestRedis) -> Variables {
    let mut variables = nats.variables();
    variables.push(("DATABASE_URL".to_owned(), database.url().to_owned()));
    variables.push(("REDIS_URL".to_owned(), redis.url().to_owned()));
    variables
}

/// The fixture, or the end of the test.
#[expect(clippy::panic, reason = "a fixture that cannot start fails its test")]
fn must<T>(what: &str, result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error:#}"))
}

/// Runs the supervisor's blocking code beside the test's runtime.
async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    must(
        what,
        done.map_err(anyhow::Error::from).and_then(|result| result),
    )
}
