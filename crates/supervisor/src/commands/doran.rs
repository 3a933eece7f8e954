//! `./dev doran`: the command line with the variables of the running system.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use doran_supervisor::{data, environment};

use super::cargo;

/// Where the data of the running system are, for telling whether it runs.
pub(super) const DATA_VARIABLE: &str = "DORAN_DATA";

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let doran = cargo::build_doran(true)?;
    let mut command = Command::new(doran);
    command.args(arguments);
    if needs_servers(arguments) {
        let path = super::environment_file();
        let variables = environment::read_file(&path).context("start it first: ./dev up")?;
        let value = |wanted| variables.iter().find(|(name, _)| name == wanted);
        let folder = value(DATA_VARIABLE)
            .map(|(_, folder)| folder.as_str())
            .unwrap_or_default();
        if !data::is_in_use(Path::new(folder)) {
            bail!("nothing runs here; start it first: ./dev up");
        }
        // What the caller set wins.
        let unset = variables
            .iter()
            .filter(|(name, _)| environment::variable(name).is_none());
        command.envs(unset.map(|(name, value)| (name, value)));
    }
    Err(command.exec()).context("cannot run doran")
}

fn needs_servers(arguments: &[String]) -> bool {
    let helps = ["-h", "--help", "help", "-V", "--version"];
    !arguments.is_empty() && !arguments.iter().any(|word| helps.contains(&word.as_str()))
}
