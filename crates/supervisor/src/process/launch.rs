//! What is to be started, and as whom.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::{Process, fresh_log, parent_death};
use crate::data::DataFolder;

/// A program with everything that it needs, ready to be started any number of times.
#[derive(Debug)]
pub struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    log: PathBuf,
    stop_signal: Signal,
    identity: Identity,
    input: Input,
}

/// Whom a child runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The one who called us.
    Ours,
    /// Nobody, in a user namespace in which our own files belong to nobody.
    NobodyInNamespace,
    /// Nobody, who may still pass through folders that are closed to nobody.
    NobodyWithAccess,
}

#[derive(Debug)]
enum Input {
    Nothing,
    Lock(std::fs::File),
    File(PathBuf),
}

/// The user and group id of nobody on every Linux.
pub const NOBODY: u32 = 65_534;

impl Launch {
    /// `log` takes what the program prints; the one before is kept beside it.
    pub fn new(name: &str, program: &Path, log: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.to_path_buf(),
            arguments: Vec::new(),
            variables: Vec::new(),
            log: log.to_path_buf(),
            stop_signal: Signal::SIGTERM,
            identity: Identity::Ours,
            input: Input::Nothing,
        }
    }

    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn variables(mut self, variables: &[(String, String)]) -> Self {
        self.variables.extend_from_slice(variables);
        self
    }

    #[must_use]
    pub fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// Lets the program inherit the folder's lock.
    pub fn holding(mut self, data: &DataFolder) -> Result<Self> {
        self.input = Input::Lock(data.lock_file()?);
        Ok(self)
    }

    /// Feeds a file to the program.
    #[must_use]
    pub fn reading(mut self, path: &Path) -> Self {
        self.input = Input::File(path.to_path_buf());
        self
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    pub fn stop_signal(&self) -> Signal {
        self.stop_signal
    }

    /// Starts the program in a process group of its own, so that Ctrl-C on the terminal reaches
    /// only the supervisor, which ends its children in order.
    pub fn spawn(&self) -> Result<Process> {
        let mut command = self.command()?;
        let child = parent_death::on_lasting_thread(move || command.spawn())?;
        let child: Child = child
            .with_context(|| format!("cannot start {} ({})", self.name, self.program.display()))?;
        let watchdog = parent_death::watchdog_if_needed(child.id(), self.stop_signal)?;
        Process::adopt(self, child, watchdog)
    }

    fn command(&self) -> Result<Command> {
        let mut line: Vec<OsString> = self.identity.prefix();
        line.extend(parent_death::prefix(self.stop_signal));
        line.push(self.program.clone().into_os_string());
        line.extend(self.arguments.iter().cloned());
        let mut words = line.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(match &self.input {
            Input::Nothing => Stdio::null(),
            Input::Lock(lock) => Stdio::from(lock.try_clone()?),
            Input::File(path) => Stdio::from(std::fs::File::open(path)?),
        });
        let log = fresh_log(&self.log)?;
        command.stdout(log.try_clone()?).stderr(log);
        command.process_group(0);
        Ok(command)
    }
}

impl Identity {
    pub(crate) fn prefix(self) -> Vec<OsString> {
        let line: &[&str] = match self {
            Self::Ours => &[],
            Self::NobodyInNamespace => &[
                "unshare",
                "--user",
                "--map-user=65534",
                "--map-group=65534",
                "--",
            ],
            // `no_setuid_fixup`, because access(2) otherwise drops the capability.
            Self::NobodyWithAccess => &[
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=+dac_override",
                "--ambient-caps=+dac_override",
                "--securebits=+no_setuid_fixup",
                "--",
            ],
        };
        line.iter().map(OsString::from).collect()
    }
}
