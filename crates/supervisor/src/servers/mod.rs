//! One private instance of a server on a loopback port of its own.

mod nats;
mod nats_cluster;
mod postgres;
mod redis;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::port;
use crate::process::{Exit, Launch, Process};
pub use nats::{Nats, NatsUser, Sync};
pub use nats_cluster::NatsCluster;
pub use postgres::{Postgres, Purpose, major_version_of};
pub use redis::Redis;

/// A first start on a busy disk takes a few seconds.
const READY: Duration = Duration::from_mins(1);
const STOPPED: Duration = Duration::from_secs(15);
/// A server that does not talk at once is asked again.
const TALK: Duration = Duration::from_secs(2);

/// A server that may be stopped and started again on the same port and data.
pub struct Server {
    port: u16,
    launch: Launch,
    is_ready: Probe,
    process: Option<Process>,
}

/// Whether a server answers.
type Probe = Box<dyn Fn() -> bool + Send + std::marker::Sync>;

impl Server {
    /// Starts a server on a free port. Ports cannot be reserved, so it tries again when somebody
    /// else was faster.
    fn start(prepare: impl Fn(u16) -> Result<(Launch, Probe)>) -> Result<Self> {
        let mut tries = 0;
        loop {
            let port = port::free()?;
            let (launch, is_ready) = prepare(port)?;
            let mut server = Self {
                port,
                launch,
                is_ready,
                process: None,
            };
            tries += 1;
            match server.resume() {
                Ok(()) => return Ok(server),
                Err(error) if tries < 5 && is_port_taken(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn name(&self) -> &str {
        self.launch.name()
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// To be told when it ends; `None` while it is stopped.
    pub fn exit(&self) -> Option<Exit> {
        self.process.as_ref().map(|process| process.exit().clone())
    }

    pub fn last_words(&self) -> String {
        self.process
            .as_ref()
            .map(Process::last_words)
            .unwrap_or_default()
    }

    /// Starts it again, and waits until it answers.
    pub fn resume(&mut self) -> Result<()> {
        if self.process.is_none() {
            let process = self.launch.spawn()?;
            process.wait_until(READY, || (self.is_ready)().then_some(()))?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Asks it to end, without waiting.
    pub fn ask_to_stop(&mut self) {
        if let Some(process) = &mut self.process {
            process.ask_to_stop();
        }
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(STOPPED);
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    format!("{error:#}")
        .to_lowercase()
        .contains("address already in use")
}

/// Sends `question` to a local port and returns what came back first.
fn ask(port: u16, question: &[u8]) -> Result<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TALK)?;
    stream.set_read_timeout(Some(TALK))?;
    stream.write_all(question)?;
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).context("no answer")?;
    answer.truncate(length);
    Ok(answer)
}
