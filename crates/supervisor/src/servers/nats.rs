//! nats-server with the project's own `nats.conf`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Probe, Server, ask};
use crate::data::DataFolder;
use crate::environment::Variables;
use crate::process::Launch;
use crate::{secret, workspace};

pub struct Nats {
    pub server: Server,
    passwords: Passwords,
}

/// A password for each user.
pub(super) struct Passwords(Vec<(NatsUser, String)>);

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
    /// On disk, as long as the store has no more than so many bytes.
    AlwaysWithin { bytes: u64 },
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
        let passwords = Passwords::new();
        let configuration = configuration(data, sync)?;
        let log = logs.join("nats.log");
        let server = Server::start(|port| {
            configured(program, &configuration, data, &log, port, &passwords)
        })?;
        Ok(Self { server, passwords })
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.server.port())
    }

    pub fn password(&self, user: NatsUser) -> &str {
        self.passwords.of(user)
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

impl Passwords {
    pub(super) fn new() -> Self {
        let with_password = |user| (user, secret::password());
        Self(NatsUser::EVERY.map(with_password).into())
    }

    pub(super) fn of(&self, user: NatsUser) -> &str {
        let mut passwords = self.0.iter();
        passwords
            .find(|(owner, _)| *owner == user)
            .map_or("", |(_, password)| password)
    }
}

/// A server with a configuration of the project, and how to see that it is ready.
pub(super) fn configured(
    program: &Path,
    configuration: &Path,
    data: &DataFolder,
    log: &Path,
    port: u16,
    passwords: &Passwords,
) -> Result<(Launch, Probe)> {
    let name = format!("doran-{port}");
    let store = data.path().join("nats");
    secret::create_folder(&store)?;
    let mut launch = Launch::new("nats-server", program, log)
        .arguments(["--config".into(), configuration.as_os_str().to_owned()])
        .variable("NATS_HOST", "127.0.0.1")
        .variable("NATS_PORT", port.to_string())
        .variable("NATS_SERVER_NAME", &name)
        .variable("NATS_STORE_DIR", format!("\"{}\"", store.display()))
        .holding(data)?;
    for (user, password) in &passwords.0 {
        launch = launch.variable(&user.password_variable(), password);
    }
    Ok((launch, Box::new(move || greets(port, &name))))
}

/// The server greets with its name once JetStream has recovered its streams; the name tells it
/// from a stranger on the same port.
fn greets(port: u16, name: &str) -> bool {
    let greeting = ask(port, b"").unwrap_or_default();
    String::from_utf8_lossy(&greeting).contains(&format!("\"server_name\":\"{name}\""))
}

/// The project's file, or an altered copy.
pub(super) fn configuration(data: &DataFolder, sync: Sync) -> Result<PathBuf> {
    let original = workspace().join("nats.conf");
    let setting = "sync_interval: always";
    let altered = match sync {
        Sync::Always => return Ok(original),
        Sync::AlwaysWithin { bytes } => format!("{setting}\n  max_file_store: {bytes}"),
        Sync::Sometimes => "sync_interval: 2m".to_owned(),
    };
    let text = fs::read_to_string(original)?;
    let copy = data.path().join("nats.conf");
    fs::write(&copy, text.replace(setting, &altered))?;
    Ok(copy)
}
