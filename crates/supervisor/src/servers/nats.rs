//! nats-server with the project's own `nats.conf`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Server, ask};
use crate::data::DataFolder;
use crate::environment::Variables;
use crate::process::Launch;
use crate::{secret, workspace};

pub struct Nats {
    pub server: Server,
    passwords: Vec<(NatsUser, String)>,
}

/// The users of `nats.conf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatsUser {
    /// `doran all` and the tools.
    All,
    Auth,
    User,
    Chat,
    Gateway,
    Store,
    Batch,
    /// May read, and nothing else.
    Observer,
    /// The system account: reads the server's settings.
    System,
}

/// What an acknowledgement of the server means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// On disk, as `nats.conf` has it.
    Always,
    /// In memory: what services must refuse.
    Sometimes,
}

impl NatsUser {
    pub const EVERY: [Self; 9] = [
        Self::All,
        Self::Auth,
        Self::User,
        Self::Chat,
        Self::Gateway,
        Self::Store,
        Self::Batch,
        Self::Observer,
        Self::System,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Auth => "auth",
            Self::User => "user",
            Self::Chat => "chat",
            Self::Gateway => "gateway",
            Self::Store => "store",
            Self::Batch => "batch",
            Self::Observer => "observer",
            Self::System => "system",
        }
    }

    fn password_variable(self) -> String {
        format!("NATS_{}_PASSWORD", self.name().to_uppercase())
    }
}

impl Nats {
    /// Starts a server on `data`, with new passwords, its log in `logs`.
    pub fn start(program: &Path, data: &DataFolder, logs: &Path, sync: Sync) -> Result<Self> {
        let passwords: Vec<_> = NatsUser::EVERY
            .map(|user| (user, secret::password()))
            .into_iter()
            .collect();
        let store = data.path().join("nats");
        secret::create_folder(&store)?;
        let configuration = configuration(data, sync)?;
        let server = Server::start(|port| {
            let name = format!("doran-{port}");
            let mut launch = Launch::new("nats-server", program, &logs.join("nats.log"))
                .arguments(["--config".into(), configuration.clone().into_os_string()])
                .variable("NATS_HOST", "127.0.0.1")
                .variable("NATS_PORT", port.to_string())
                .variable("NATS_SERVER_NAME", &name)
                .variable("NATS_STORE_DIR", format!("\"{}\"", store.display()))
                .holding(data)?;
            for (user, password) in &passwords {
                launch = launch.variable(&user.password_variable(), password);
            }
            let is_ready = move || greets(port, &name);
            Ok((launch, Box::new(is_ready)))
        })?;
        Ok(Self { server, passwords })
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.server.port())
    }

    pub fn password(&self, user: NatsUser) -> &str {
        let mut passwords = self.passwords.iter();
        passwords
            .find(|(owner, _)| *owner == user)
            .map_or("", |(_, password)| password)
    }

    /// What a process with this server needs to know.
    pub fn variables(&self) -> Variables {
        let of = |user: NatsUser| self.password(user).to_owned();
        [
            ("NATS_URL", self.url()),
            ("NATS_USER", NatsUser::All.name().to_owned()),
            ("NATS_PASSWORD", of(NatsUser::All)),
            ("NATS_OBSERVER_USER", NatsUser::Observer.name().to_owned()),
            ("NATS_OBSERVER_PASSWORD", of(NatsUser::Observer)),
            ("NATS_SYSTEM_USER", NatsUser::System.name().to_owned()),
            ("NATS_SYSTEM_PASSWORD", of(NatsUser::System)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The server greets with its name once JetStream has recovered its streams; the name tells it
/// from a stranger on the same port.
fn greets(port: u16, name: &str) -> bool {
    let greeting = ask(port, b"").unwrap_or_default();
    String::from_utf8_lossy(&greeting).contains(&format!("\"server_name\":\"{name}\""))
}

/// The project's file; for a server that syncs only sometimes, an altered copy.
fn configuration(data: &DataFolder, sync: Sync) -> Result<PathBuf> {
    let original = workspace().join("nats.conf");
    match sync {
        Sync::Always => Ok(original),
        Sync::Sometimes => {
            let text = fs::read_to_string(original)?;
            let copy = data.path().join("nats.conf");
            fs::write(
                &copy,
                text.replace("sync_interval: always", "sync_interval: 2m"),
            )?;
            Ok(copy)
        }
    }
}
