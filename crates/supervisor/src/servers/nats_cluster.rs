//! Three nats-servers that keep the log together, with the project's `nats-cluster.conf`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Server;
use super::nats::{self, NatsUser, Passwords, Sync, configured};
use crate::data::DataFolder;
use crate::{port, secret, workspace};

/// Ports cannot be reserved: so often other ports are tried.
const TRIES: u32 = 3;

pub struct NatsCluster {
    pub nodes: Vec<Server>,
    passwords: Passwords,
}

impl NatsCluster {
    /// Starts one server on each folder, with new passwords, their logs in `logs`. `sync` says what
    /// a node acknowledges, by its number.
    pub fn start(
        program: &Path,
        data: &[DataFolder],
        logs: &Path,
        sync: impl Fn(usize) -> Sync,
    ) -> Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_start(program, data, logs, &sync) {
                Err(_) if tries < TRIES => {}
                started => return started,
            }
        }
    }

    fn try_start(
        program: &Path,
        data: &[DataFolder],
        logs: &Path,
        sync: impl Fn(usize) -> Sync,
    ) -> Result<Self> {
        let passwords = Passwords::new();
        let route_password = secret::password();
        let ports = data.iter().map(|_| port::free());
        let ports = ports.collect::<Result<Vec<_>>>()?;
        let route = |port| format!("\"nats-route://route:{route_password}@127.0.0.1:{port}\"");
        let routes: Vec<_> = ports.iter().map(route).collect();
        let routes = format!("[{}]", routes.join(","));
        let nodes = data.iter().zip(&ports).enumerate();
        let nodes = nodes.map(|(node, (data, route_port))| {
            let configuration = configuration(data, sync(node))?;
            Server::start(|port| {
                let log = logs.join(format!("nats-{port}.log"));
                let (launch, is_ready) =
                    configured(program, &configuration, data, &log, port, &passwords)?;
                let launch = launch
                    .variable("NATS_CLUSTER_PORT", route_port.to_string())
                    .variable("NATS_CLUSTER_PASSWORD", &route_password)
                    .variable("NATS_ROUTES", &routes);
                Ok((launch, is_ready))
            })
        });
        Ok(Self {
            nodes: nodes.collect::<Result<_>>()?,
            passwords,
        })
    }

    pub fn password(&self, user: NatsUser) -> &str {
        self.passwords.of(user)
    }
}

/// The project's file, or a copy beside an altered `nats.conf`, which it includes.
fn configuration(data: &DataFolder, sync: Sync) -> Result<PathBuf> {
    let original = workspace().join("nats-cluster.conf");
    let alone = nats::configuration(data, sync)?;
    if alone.parent() == original.parent() {
        return Ok(original);
    }
    let copy = data.path().join("nats-cluster.conf");
    fs::copy(original, &copy)?;
    Ok(copy)
}
