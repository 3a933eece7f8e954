//! `./dev up`: the whole system in the foreground.

use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};

use anyhow::{Result, bail};
use clap::Args;
use doran_supervisor::data::DataFolder;
use doran_supervisor::{interrupt, port, secret};

use super::deployment::{Deployment, Needed};
use super::system::{Event, Plan, System};
use super::{cargo, demo, environment_file, home, say};

#[derive(Args)]
pub(crate) struct Options {
    /// Keep everything in a temporary folder that is gone at the end
    #[arg(long)]
    ephemeral: bool,
    /// Where the page and the API are served
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    port: u16,
    /// Serve without rate limits, for load tests on this machine
    #[arg(long)]
    no_limits: bool,
}

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let (sender, events) = channel();
    let signals = sender.clone();
    interrupt::listen(move || {
        // The receiver lives as long as there is something to stop.
        signals.send(Event::Signal).ok();
    })?;
    match start(options, &sender) {
        Ok(system) => {
            introduce(&system);
            system.watch(&events)
        }
        Err(_) if interrupt::check().is_err() => {
            say("stopped");
            Ok(ExitCode::from(INTERRUPTED))
        }
        Err(error) => Err(error),
    }
}

fn start(options: &Options, events: &Sender<Event>) -> Result<System> {
    let port = options.port;
    if !port::is_free(port) {
        let holder = port::holder(port);
        bail!("port {port} is taken by {holder}; stop it, or choose another with --port");
    }
    secret::create_folder(&home())?;
    let data = if options.ephemeral {
        DataFolder::temporary()?
    } else {
        DataFolder::open(&home().join("data"))?
    };
    let logs = if options.ephemeral {
        data.path().join("log")
    } else {
        home().join("log")
    };
    secret::create_folder(&logs)?;
    let needed = Needed::locate(&data, &say)?;
    let doran = cargo::build_doran(false)?;
    say("starting");
    let deployment = Deployment::start(&needed, &data, &logs)?;
    let plan = Plan {
        doran: &doran,
        logs: &logs,
        port,
        has_limits: !options.no_limits,
    };
    System::start(&plan, deployment, data, events)
}

/// Says where to look and what to do first.
fn introduce(system: &System) {
    let port = system.port();
    say(&format!("\nDoranDoran is up: http://localhost:{port}\n"));
    match demo::register(port, system.data()) {
        Ok(password) => say(&format!(
            "  log in as       {}  password {password}",
            demo::EMAIL
        )),
        Err(error) => say(&format!("  log in          no demo user: {error:#}")),
    }
    say(&format!(
        "  API             http://localhost:{port}/api
  health, metrics http://localhost:{port}/health/ready  http://localhost:{port}/metrics
  logs            {logs}
  first operator  ./dev doran users promote {email}
  events          ./dev doran events tail
  read models     ./dev doran projections status
  tables          . {environment}; psql \"$DATABASE_URL\"
  streams         . {environment}; nats --server \"$NATS_URL\" --user \"$NATS_OBSERVER_USER\" \\
                    --password \"$NATS_OBSERVER_PASSWORD\" stream ls

Ctrl-C stops it.",
        logs = system.logs().display(),
        email = demo::EMAIL,
        environment = environment_file().display(),
    ));
}
