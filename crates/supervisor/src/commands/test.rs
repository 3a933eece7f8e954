//! `./dev test`: every test, with servers that are found or fetched first and shared by the run.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use doran_supervisor::data::DataFolder;
use doran_supervisor::environment::Variables;
use doran_supervisor::interrupt;
use doran_supervisor::programs::Programs;
use doran_supervisor::servers::{Postgres, Purpose, Redis};

use super::{cargo, say};

/// As many as the test kit gives out.
const REDIS_DATABASES: u32 = 4096;

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    // The runner is on our terminal and gets Ctrl-C too; we outlive it to stop the servers.
    interrupt::listen(|| ())?;
    let programs = Programs::locate(&say)?;
    let data = DataFolder::temporary()?;
    let mut postgres = Postgres::start(&programs.postgres, &data, data.path(), Purpose::Test)?;
    let mut redis = Redis::start(&programs.redis, &data, data.path(), REDIS_DATABASES)?;
    let mut variables = programs.variables();
    variables.push(("DORAN_TEST_POSTGRES".to_owned(), postgres.url("postgres")));
    variables.push(("DORAN_TEST_REDIS".to_owned(), redis.url(0)));
    let passed = run_all(arguments, &variables);
    redis.server.kill();
    postgres.server.kill();
    Ok(if passed? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Examples in the documentation first, because nextest does not run them; the runner's closing
/// lines come last.
fn run_all(arguments: &[String], variables: &Variables) -> Result<bool> {
    if !has_nextest() {
        return run_one(&["test", "--no-fail-fast"], arguments, variables);
    }
    let documented =
        !arguments.is_empty() || run_one(&["test", "--doc", "--quiet"], &[], variables)?;
    Ok(run_one(&["nextest", "run"], arguments, variables)? && documented)
}

fn run_one(words: &[&str], arguments: &[String], variables: &Variables) -> Result<bool> {
    let mut command = cargo::command();
    command.args(words).args(arguments);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    Ok(cargo::wait(command.spawn()?)?.success())
}

fn has_nextest() -> bool {
    let mut command: Command = cargo::command();
    command
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
