//! Child processes: started so that they die with us, watched, and ended in bounded time.

mod launch;
mod parent_death;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

pub use launch::{Identity, Launch, NOBODY};
use parent_death::Watchdog;

/// Between two looks at something that is getting ready.
const PAUSE: Duration = Duration::from_millis(5);
const KILLED: Duration = Duration::from_secs(5);

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    log: PathBuf,
    stop_signal: Signal,
    exit: Exit,
    /// Ends before the child is reaped, so that it never signals a stranger.
    watchdog: Option<Watchdog>,
}

/// How a child ended, once it has; may be awaited from any thread.
#[derive(Debug, Clone, Default)]
pub struct Exit(Arc<(Mutex<Option<ExitStatus>>, Condvar)>);

impl Process {
    pub(super) fn adopt(
        launch: &Launch,
        mut child: Child,
        watchdog: Option<Watchdog>,
    ) -> Result<Self> {
        let exit = Exit::default();
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        let report = exit.clone();
        thread::Builder::new()
            .name(format!("wait-{}", launch.name()))
            .spawn(move || report.set(child.wait()))?;
        let (name, log) = (launch.name().to_owned(), launch.log().to_path_buf());
        Ok(Self {
            name,
            pid,
            log,
            stop_signal: launch.stop_signal(),
            exit,
            watchdog,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    pub fn exit(&self) -> &Exit {
        &self.exit
    }

    /// Calls `ready` until it answers; fails when the child ends first, or at the deadline.
    pub fn wait_until<T>(
        &self,
        deadline: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ready() {
                return Ok(answer);
            }
            crate::interrupt::check()?;
            if let Some(status) = self.exit.wait_for(PAUSE) {
                bail!(
                    "{} ended ({status}) before it was ready{}",
                    self.name,
                    self.last_words()
                );
            }
            if started.elapsed() > deadline {
                let seconds = deadline.as_secs();
                bail!(
                    "{} was not ready after {seconds} s{}",
                    self.name,
                    self.last_words()
                );
            }
        }
    }

    /// Asks the child to end, and returns at once.
    pub fn ask_to_stop(&mut self) {
        self.watchdog = None;
        self.send(self.stop_signal);
    }

    /// Asks the child to end, waits, and kills it when `patience` is over.
    pub fn stop(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.ask_to_stop();
        self.exit.wait_for(patience).or_else(|| self.kill())
    }

    /// Ends the child without giving it a chance.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        self.watchdog = None;
        self.send(Signal::SIGKILL);
        self.exit.wait_for(KILLED)
    }

    /// The end of the child's log, for a message about its death; empty without one.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default();
        if tail.is_empty() {
            return String::new();
        }
        format!(
            ". The end of {}:\n  {}",
            self.log.display(),
            tail.join("\n  ")
        )
    }

    fn send(&self, signal: Signal) {
        if self.exit.status().is_none() {
            // It may end in this moment, which is what we want.
            signal::kill(self.pid, signal).ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Exit {
    pub fn status(&self) -> Option<ExitStatus> {
        *self.guard()
    }

    /// Waits for the end, for at most `patience`.
    pub fn wait_for(&self, patience: Duration) -> Option<ExitStatus> {
        let waited = self
            .0
            .1
            .wait_timeout_while(self.guard(), patience, |status| status.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for the end, however long it takes.
    pub fn wait(&self) -> ExitStatus {
        loop {
            if let Some(status) = self.wait_for(Duration::from_hours(1)) {
                return status;
            }
        }
    }

    fn set(&self, status: std::io::Result<ExitStatus>) {
        // Waiting fails only for a process that is not our child, and this one is.
        *self.guard() = Some(status.unwrap_or_default());
        self.0.1.notify_all();
    }

    fn guard(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a program to its end; its output is in the error when it fails.
pub fn run(launch: &Launch, deadline: Duration) -> Result<()> {
    let process = launch.spawn()?;
    let started = Instant::now();
    loop {
        if let Some(status) = process.exit.wait_for(PAUSE) {
            if !status.success() {
                bail!("{} failed ({status}){}", process.name, process.last_words());
            }
            return Ok(());
        }
        crate::interrupt::check()?;
        if started.elapsed() > deadline {
            bail!("{} took longer than {} s", process.name, deadline.as_secs());
        }
    }
}

/// One step of waiting for something that is not a child.
#[expect(
    clippy::disallowed_methods,
    reason = "the rule protects the runtime; the supervisor has none"
)]
pub fn pause() {
    thread::sleep(PAUSE);
}

/// Keeps the log of the last run beside the new one.
pub(crate) fn fresh_log(path: &Path) -> Result<fs::File> {
    if path.exists() {
        fs::rename(path, path.with_extension("previous.log"))?;
    }
    crate::secret::create(path).context("cannot create the log")
}
