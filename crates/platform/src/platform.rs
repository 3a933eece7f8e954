//! What the roles of one process share. Cheap to clone.

use std::{ops::Deref, sync::Arc, time::Duration};

use async_nats::{Client, connection::State, jetstream};
use doran_contract::command::Durability;
use doran_eventstore::{
    Logs,
    topology::{self, CheckOptions, TopologyError},
};
use doran_projection::{
    memory,
    policy::{self, Policy, Timing},
};
use tokio::sync::OnceCell;

use crate::{
    Blinder, Clock, Config, Lifecycle, LocalCommands,
    access_token::Verifier,
    directory::{Rooms, Sessions, Users},
    first_answers::{FirstAnswers, FirstAnswersError},
    forgetting,
    http::Probe,
    keyring::{Keyring, KeyringError},
    nats::{self, NatsError},
    nats_store::{self, Fullness},
    password::Passwords,
    profile::Profiles,
    secret::{MasterKey, SecretError},
    streams,
};

/// Why a role does not start. Each line names the mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error("cannot open the data keys")]
    Keyring(#[from] KeyringError),
    #[error("cannot open the first answers")]
    FirstAnswers(#[from] FirstAnswersError),
    #[error("cannot read the published token keys")]
    TokenKeys(#[source] async_nats::Error),
    #[error("cannot follow the log")]
    Directory(#[from] memory::StartError),
}

#[derive(Clone)]
pub struct Platform(Arc<Shared>);

pub struct Shared {
    pub config: Config,
    pub clock: Clock,
    pub lifecycle: Lifecycle,
    pub nats: Client,
    pub js: jetstream::Context,
    /// The streams, as everybody in this process follows them.
    pub logs: Logs,
    /// Commands that roles of this process answer.
    pub commands: LocalCommands,
    /// What an acknowledgement of the log stands for on this server.
    pub durability: Durability,
    pub master_key: MasterKey,
    pub keyring: Keyring,
    pub first_answers: FirstAnswers,
    pub passwords: Passwords,
    pub blinder: Blinder,
    pub verifier: Verifier,
    pub users: Users,
    pub profiles: Profiles,
    pub sessions: Sessions,
    fullness: Fullness,
    rooms: OnceCell<Rooms>,
}

impl Deref for Platform {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Platform {
    /// Connects, refuses a log that is not as it should be, and reads what authorisation needs.
    pub async fn start(
        config: Config,
        clock: Clock,
        lifecycle: Lifecycle,
        role: &str,
    ) -> Result<Self, StartError> {
        let master_key = master_key(&config)?;
        let nats = nats::connect(&config, &format!("doran {role}")).await?;
        let fullness = nats_store::measure(&nats, &lifecycle);
        let js = jetstream::new(nats.clone());
        let durability = check(&config, &js).await?;
        let verifier = Verifier::new(clock.clone());
        verifier
            .follow(&js, &lifecycle)
            .await
            .map_err(StartError::TokenKeys)?;
        let token_life = Duration::from_secs(u64::from(config.access_token_minutes) * 60);
        let keyring = Keyring::open(&js, &master_key).await?;
        let logs = Logs::new(js.clone());
        let users = Users::start(&logs, &lifecycle).await?;
        let profiles = Profiles::new(js.clone(), users.clone(), keyring.clone());
        forgetting::start(&users, &keyring, &profiles, &lifecycle).await;
        // These on the heap: every role's future would be larger otherwise.
        let sessions = Box::pin(Sessions::start(&logs, &lifecycle, &clock, token_life)).await?;
        let first_answers = Box::pin(FirstAnswers::open(&js, keyring.clone())).await?;
        let shared = Shared {
            durability,
            profiles,
            keyring,
            first_answers,
            passwords: Passwords::new(),
            blinder: Blinder::new(&master_key),
            verifier,
            users,
            sessions,
            commands: LocalCommands::default(),
            fullness,
            rooms: OnceCell::new(),
            config,
            clock,
            lifecycle,
            nats,
            js,
            logs,
            master_key,
        };
        Ok(Self(Arc::new(shared)))
    }

    /// The rooms, read from the log when the first role of the process asks for them.
    pub async fn rooms(&self) -> Result<&Rooms, memory::StartError> {
        self.rooms
            .get_or_try_init(|| Rooms::start(&self.logs, &self.lifecycle))
            .await
    }

    /// Runs a policy until the process stops, and answers with the probe that shows its state.
    pub fn run_policy<P: Policy>(&self, policy: P) -> Probe {
        let clock = self.clock.clone();
        let running = policy::run(
            policy,
            self.js.clone(),
            Arc::new(move || clock.now()),
            Timing::default(),
            &(&self.lifecycle).into(),
        );
        let name = running.declaration().name;
        Probe::optional(name, move || std::future::ready(running.health()))
    }

    /// Time since the log last confirmed what this process believes of people and their sessions.
    pub fn silence(&self) -> Duration {
        let users = self.users.model().last_contact();
        users.min(self.sessions.model().last_contact()).elapsed()
    }

    /// Asks whether the connection to NATS stands.
    pub fn nats_probe(&self) -> Probe {
        let nats = self.nats.clone();
        Probe::essential("nats", move || {
            let state = nats.connection_state();
            async move {
                match state {
                    State::Connected => Ok(()),
                    State::Pending | State::Disconnected => Err("not connected".to_owned()),
                }
            }
        })
    }

    /// Asks whether the log takes events. Reading goes on when it is full, so a load balancer must
    /// not take the role away.
    pub fn nats_store_probe(&self) -> Probe {
        let fullness = self.fullness.clone();
        Probe::optional("nats_store", move || std::future::ready(fullness.check()))
    }
}

fn master_key(config: &Config) -> Result<MasterKey, SecretError> {
    let path = config
        .master_key_file
        .as_deref()
        .ok_or(SecretError::NoFile)?;
    if config.dev {
        MasterKey::open_or_create(path)
    } else {
        MasterKey::open(path)
    }
}

/// Refuses streams that differ from their files, and a server that acknowledges too early.
async fn check(config: &Config, js: &jetstream::Context) -> Result<Durability, StartError> {
    let options = CheckOptions {
        replicas: config.replicas.map(usize::from),
        allow_unsynced: config.allow_unsynced,
    };
    Ok(match streams::topology()?.check(js, options).await? {
        topology::Durability::Fsync => Durability::Fsync,
        topology::Durability::Replicated => Durability::Replicated,
        topology::Durability::Memory => Durability::Memory,
    })
}
