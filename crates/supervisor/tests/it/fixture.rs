//! A `./dev up` in a folder of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use doran_supervisor::environment::{self, Variables};
use doran_supervisor::{port, process};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A home for `.doran` and temporary files that only one test uses.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) port: u16,
}

pub(crate) struct Up {
    child: Child,
    /// What it said until it was up.
    pub(crate) said: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            port: gateway_port(),
        };
        std::fs::create_dir(place.temporary()).unwrap();
        place
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    pub(crate) fn environment(&self) -> Variables {
        environment::read_file(&self.home().join("env")).unwrap()
    }

    /// The ports of NATS, PostgreSQL, Redis and the gateway.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let names = ["NATS_URL", "DATABASE_URL", "REDIS_URL", "GATEWAY_URL"];
        let variables = self.environment();
        let url = |wanted: &str| {
            variables
                .iter()
                .find(|(name, _)| name == wanted)
                .unwrap()
                .1
                .clone()
        };
        names.map(|name| port_of(&url(name))).into()
    }

    pub(crate) fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doran-dev"));
        command
            .arg("up")
            .args(options)
            .args(["--port", &self.port.to_string()]);
        command
            .env("DORAN_HOME", self.home())
            .env("TMPDIR", self.temporary());
        command.env("DORAN_BINARY", env!("CARGO_BIN_EXE_stand-in"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it says that it is up.
    pub(crate) fn up(&self, options: &[&str]) -> Up {
        Up::start(&mut self.command(options))
    }

    /// Runs one that refuses, and answers with what it says.
    pub(crate) fn refusal(&self, options: &[&str]) -> String {
        let output = self.command(options).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Apart from the ports that the servers of other tests take: it is used only when the servers are
/// up, which on a busy machine is seconds later.
fn gateway_port() -> u16 {
    let ports = || std::iter::repeat_with(|| rand::random_range(30_000..32_700));
    ports().take(500).find(|port| port::is_free(*port)).unwrap()
}

impl Up {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C stops it.") {
            if output.read_line(&mut said).unwrap() == 0 {
                let mut errors = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut errors)
                    .unwrap();
                panic!("it did not come up: {said}{errors}");
            }
        }
        child.stdout = Some(output.into_inner());
        Self { child, said }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&self, signal: Signal) {
        signal::kill(Pid::from_raw(i32::try_from(self.pid()).unwrap()), signal).unwrap();
    }

    /// Waits for the end, and answers with what it said on the way there.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = until(|| self.child.try_wait().unwrap());
        let mut said = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (status, said)
    }
}

impl Drop for Up {
    /// A test that failed leaves nothing behind.
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = look() {
            return answer;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "it did not happen in {} s",
            PATIENCE.as_secs()
        );
        process::pause();
    }
}

pub(crate) fn all_are_free(ports: &[u16]) -> bool {
    ports.iter().all(|port| port::is_free(*port))
}

pub(crate) fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn port_of(url: &str) -> u16 {
    let authority = url.split('/').nth(2).unwrap();
    authority.rsplit(':').next().unwrap().parse().unwrap()
}
