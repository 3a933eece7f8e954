//! Builds with cargo.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use doran_supervisor::{environment, interrupt, process, workspace};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// What is built quietly and takes longer is told of.
const SILENCE: Duration = Duration::from_secs(2);

/// The cargo that runs us, or the one on PATH.
pub(super) fn command() -> Command {
    let cargo = environment::variable("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.current_dir(workspace());
    command
}

/// Builds the `doran` binary and tells where it is, unless `DORAN_BINARY` names one that was built
/// in another way. Progress goes to the terminal.
pub(super) fn build_doran(quiet: bool) -> Result<PathBuf> {
    if let Some(path) = environment::variable("DORAN_BINARY") {
        return Ok(PathBuf::from(path));
    }
    if !quiet {
        super::say("building doran (the first time takes minutes)");
    }
    let mut command = command();
    command.args([
        "build",
        "--package",
        "doran",
        "--message-format=json-render-diagnostics",
    ]);
    if quiet {
        command.arg("--quiet");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("cargo has no output")?;
    let reader = thread::spawn(move || std::io::read_to_string(output));
    let began = Instant::now();
    let mut is_told = !quiet;
    let built = wait_and(child, || {
        if !is_told && began.elapsed() > SILENCE {
            eprintln!("./dev: cargo builds doran, or waits for another cargo");
            is_told = true;
        }
    });
    if !built?.success() {
        bail!("cargo build failed");
    }
    let messages = reader.join().ok().context("cargo's output was lost")??;
    let executable = messages.lines().rev().find_map(executable);
    executable.context("cargo built no doran")
}

/// Waits for a child on our own terminal, and ends it when we are to end.
pub(super) fn wait(child: Child) -> Result<ExitStatus> {
    wait_and(child, || ())
}

fn wait_and(mut child: Child, mut meanwhile: impl FnMut()) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            interrupt::check()?;
            return Ok(status);
        }
        if interrupt::check().is_err() {
            let pid = Pid::from_raw(i32::try_from(child.id())?);
            signal::kill(pid, Signal::SIGTERM)?;
            child.wait()?;
        }
        meanwhile();
        process::pause();
    }
}

fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_doran = message.pointer("/target/name")?.as_str()? == "doran";
    let path = message.get("executable")?.as_str()?;
    is_doran.then(|| PathBuf::from(path))
}
