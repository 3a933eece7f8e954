//! Makes children end when the supervisor is killed.
//!
//! On Linux by the parent-death signal, which the kernel sends when the *thread* that started the
//! child ends; hence the lasting thread. Elsewhere a shell per child waits for the end of a pipe.

use std::ffi::OsString;
use std::io::PipeWriter;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

type Job = Box<dyn FnOnce() + Send>;

/// Runs `job` on a thread that lives as long as the process.
pub(super) fn on_lasting_thread<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    static JOBS: OnceLock<SyncSender<Job>> = OnceLock::new();
    let jobs = JOBS.get_or_init(|| {
        let (sender, receiver) = sync_channel::<Job>(0);
        thread::spawn(move || receiver.into_iter().for_each(|job| job()));
        sender
    });
    let (answer, answered) = sync_channel(1);
    let job: Job = Box::new(move || {
        // Whoever asked is waiting below.
        answer.send(job()).ok();
    });
    jobs.send(job)
        .ok()
        .context("the thread that starts children has ended")?;
    answered
        .recv()
        .context("the thread that starts children has failed")
}

/// What goes before a command line, to end it with `signal` when we are gone.
pub(super) fn prefix(signal: Signal) -> Vec<OsString> {
    if !has_parent_death_signal() {
        return Vec::new();
    }
    let name = signal.as_str().trim_start_matches("SIG");
    ["setpriv", "--pdeathsig", name, "--"]
        .iter()
        .map(OsString::from)
        .collect()
}

pub(super) fn watchdog_if_needed(pid: u32, signal: Signal) -> Result<Option<Watchdog>> {
    (!has_parent_death_signal())
        .then(|| Watchdog::start(pid, signal))
        .transpose()
}

/// A shell that ends a process when we end, however we end.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    /// Closed by the system when we die.
    lifeline: Option<PipeWriter>,
}

impl Watchdog {
    fn start(pid: u32, signal: Signal) -> Result<Self> {
        let (reader, lifeline) = std::io::pipe()?;
        let script = format!("read line; kill -{} {pid}", signal as i32);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).stdin(reader).process_group(0);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let shell = command.spawn().context("cannot start a watchdog")?;
        Ok(Self {
            shell,
            lifeline: Some(lifeline),
        })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Before the pipe closes. It may have ended already.
        self.shell.kill().ok();
        self.shell.wait().ok();
        self.lifeline = None;
    }
}

fn has_parent_death_signal() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--", "true"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_ends_its_process_when_the_lifeline_closes() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut watchdog = Watchdog::start(child.id(), Signal::SIGTERM).unwrap();
        watchdog.lifeline = None;
        let status = child.wait().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(15)
        );
    }
}
