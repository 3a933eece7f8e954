//! Three nats-servers that keep the log together, with the project's `nats-cluster.conf`.

use std::path::Path;

use anyhow::Result;

use super::Server;
use super::nats::{NatsUser, Passwords, configured};
use crate::data::DataFolder;
use crate::{port, secret, workspace};

/// Ports cannot be reserved: so often other ports are tried.
const TRIES: u32 = 3;

pub struct NatsCluster {
    pub nodes: Vec<Server>,
    passwords: Passwords,
}

impl NatsCluster {
    /// Starts one server on each folder, with new passwords, their logs in `logs`.
    pub fn start(program: &Path, data: &[DataFolder], logs: &Path) -> Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_start(program, data, logs) {
                Err(_) if tries < TRIES => {}
                started => return started,
            }
        }
    }

    fn try_start(program: &Path, data: &[DataFolder], logs: &Path) -> Result<Self> {
        let passwords = Passwords::new();
        let route_password = secret::password();
        let ports = data.iter().map(|_| port::free());
        let ports = ports.collect::<Result<Vec<_>>>()?;
        let route = |port| format!("\"nats-route://route:{route_password}@127.0.0.1:{port}\"");
        let routes: Vec<_> = ports.iter().map(route).collect();
        let routes = format!("[{}]", routes.join(","));
        let configuration = workspace().join("nats-cluster.conf");
        let nodes = data.iter().zip(&ports).map(|(data, route_port)| {
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
