//! Runs `doran`, and what it printed.

use std::process::{Output, Stdio};

use doran_testkit::TestNats;
use serde_json::Value;
use tokio::process::Command;

/// A `doran` command line with nothing of our own environment that it could read.
pub(crate) fn doran(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doran"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// What one run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs to the end.
    pub(crate) async fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().await.unwrap();
        Self {
            code: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs to the end against a server of the test.
    pub(crate) async fn against(nats: &TestNats, arguments: &[&str]) -> Self {
        Self::of(doran(arguments).envs(nats.variables())).await
    }

    /// Its lines as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
