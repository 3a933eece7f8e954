//! Services and stores while they run, and how they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use doran_supervisor::data::DataFolder;
use doran_supervisor::environment::{self, Variables};
use doran_supervisor::http;
use doran_supervisor::process::{self, Exit, Launch, Process};
use doran_supervisor::servers::Server;

use super::deployment::Deployment;
use super::{doran, environment_file, say};

/// Applying streams to a server on a slow disk.
const APPLIED: Duration = Duration::from_mins(1);
const READY: Duration = Duration::from_mins(2);
/// Longer than the services take to say good-bye to their clients.
const DRAINED: Duration = Duration::from_secs(10);
const CLOSED: Duration = Duration::from_secs(10);

/// How the services are to run.
pub(super) struct Plan<'a> {
    pub(super) doran: &'a Path,
    pub(super) logs: &'a Path,
    pub(super) port: u16,
    pub(super) has_limits: bool,
}

pub(super) enum Event {
    Signal,
    Ended { name: String },
}

/// Everything that runs, in the order in which it ends.
pub(super) struct System {
    services: Process,
    deployment: Deployment,
    _environment: EnvironmentFile,
    data: DataFolder,
    logs: PathBuf,
    port: u16,
}

impl System {
    /// Starts the services on the stores, and waits until they are ready.
    pub(super) fn start(
        plan: &Plan<'_>,
        deployment: Deployment,
        data: DataFolder,
        events: &Sender<Event>,
    ) -> Result<Self> {
        let port = plan.port;
        let environment = EnvironmentFile::write(port, &data, &deployment.variables)?;
        let variables = &environment.variables;
        process::run(
            &plan.launch("streams-apply", &["streams", "apply"], variables),
            APPLIED,
        )?;
        let number = port.to_string();
        let mut words = vec!["all", "--dev", "--port", &number];
        if !plan.has_limits {
            words.push("--no-limits");
        }
        let services = plan.launch("doran", &words, variables).spawn()?;
        services.wait_until(READY, || {
            let health = http::get(port, "/health/ready").ok()?;
            (health.status == 200).then_some(())
        })?;
        for server in deployment.servers() {
            report_end(server.name(), server.exit(), events);
        }
        report_end(services.name(), Some(services.exit().clone()), events);
        let logs = plan.logs.to_path_buf();
        Ok(Self {
            services,
            deployment,
            _environment: environment,
            data,
            logs,
            port,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn data(&self) -> &DataFolder {
        &self.data
    }

    pub(super) fn logs(&self) -> &Path {
        &self.logs
    }

    /// Waits for the first reason to end, and ends everything.
    pub(super) fn watch(mut self, events: &Receiver<Event>) -> Result<ExitCode> {
        let outcome = match events.recv().context("nobody is left who could report")? {
            Event::Signal => Ok(ExitCode::SUCCESS),
            Event::Ended { name } => Err(self.obituary(&name)),
        };
        say("stopping (Ctrl-C again: at once)");
        self.stop(events);
        outcome
    }

    /// First the services, which say good-bye to their clients and finish what they do, then the
    /// stores. A signal in the meantime ends all at once.
    fn stop(&mut self, events: &Receiver<Event>) {
        self.services.ask_to_stop();
        if wait_for_all(&[self.services.exit().clone()], events, DRAINED) {
            self.services.kill();
            self.deployment.ask_to_stop();
            wait_for_all(&self.deployment.exits(), events, CLOSED);
        }
        self.services.kill();
        self.deployment.kill();
    }

    fn obituary(&self, name: &str) -> anyhow::Error {
        let mut servers = self.deployment.servers().iter();
        let server = servers.find(|server| server.name() == name);
        let words = server.map_or_else(|| self.services.last_words(), Server::last_words);
        anyhow!("{name} ended by itself{words}")
    }
}

impl Plan<'_> {
    fn launch(&self, name: &str, words: &[&str], variables: &Variables) -> Launch {
        let log = self.logs.join(format!("{name}.log"));
        Launch::new(name, self.doran, &log)
            .arguments(words)
            .variables(variables)
    }
}

/// False when a signal came before all had ended or the time was over.
fn wait_for_all(exits: &[Exit], events: &Receiver<Event>, patience: Duration) -> bool {
    let started = Instant::now();
    while exits.iter().any(|exit| exit.status().is_none()) {
        let left = patience.saturating_sub(started.elapsed());
        match events.recv_timeout(left) {
            Ok(Event::Signal) => return false,
            Ok(Event::Ended { .. }) => {}
            Err(_) => break,
        }
    }
    true
}

fn report_end(name: &str, exit: Option<Exit>, events: &Sender<Event>) {
    let (name, events) = (name.to_owned(), events.clone());
    thread::spawn(move || {
        if let Some(exit) = exit {
            exit.wait();
        }
        // Nobody listens any more when we are ending ourselves.
        events.send(Event::Ended { name }).ok();
    });
}

/// `.doran/env`, which goes with temporary data.
struct EnvironmentFile {
    variables: Variables,
    is_temporary: bool,
}

impl EnvironmentFile {
    fn write(port: u16, data: &DataFolder, stores: &Variables) -> Result<Self> {
        let mut variables = vec![("GATEWAY_URL".to_owned(), format!("http://localhost:{port}"))];
        variables.extend_from_slice(stores);
        variables.push((
            doran::DATA_VARIABLE.to_owned(),
            data.path().display().to_string(),
        ));
        environment::write_file(&environment_file(), &variables)?;
        Ok(Self {
            variables,
            is_temporary: data.is_temporary(),
        })
    }
}

impl Drop for EnvironmentFile {
    fn drop(&mut self) {
        let path = environment_file();
        // Unless another `./dev up` has written its own since.
        let is_ours = environment::read_file(&path).is_ok_and(|there| there == self.variables);
        if self.is_temporary && is_ours {
            fs::remove_file(path).ok();
        }
    }
}
