//! A small aggregate to try the store with.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use doran_eventstore::{Claim, EventSourced, Schema, Upcaster};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) address: Option<String>,
    pub(crate) names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum AccountEvent {
    Opened { address: String },
    Welcomed,
    Renamed { name: String },
    Moved { from: String, to: String },
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Open {
        address: &'static str,
    },
    Rename(String),
    RenameTwice(&'static str, &'static str),
    Move {
        to: &'static str,
    },
    /// Writes an event and refuses then.
    Break,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the account is open already")]
    Open,
    #[error("there is no such account")]
    Missing,
    #[error("the {0} belongs to somebody else")]
    Taken(String),
    #[error("a rule says no")]
    Rule,
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = Command;
    type Event = AccountEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        if let Command::Open { address } = command {
            if self.address.is_some() {
                return Err(Refusal::Open);
            }
            let address = address.to_owned();
            sink.write(AccountEvent::Opened { address }, self).await;
            sink.write(AccountEvent::Welcomed, self).await;
            return Ok(());
        }
        let from = self.address.clone().ok_or(Refusal::Missing)?;
        let renamed = |name: &str| AccountEvent::Renamed {
            name: name.to_owned(),
        };
        match command {
            Command::Rename(name) if self.names.last() == Some(&name) => {}
            Command::Rename(name) => sink.write(renamed(&name), self).await,
            Command::RenameTwice(first, second) => {
                sink.write(renamed(first), self).await;
                sink.write(renamed(second), self).await;
            }
            Command::Move { to } => {
                let to = to.to_owned();
                sink.write(AccountEvent::Moved { from, to }, self).await;
            }
            Command::Break => {
                sink.write(renamed("half"), self).await;
                return Err(Refusal::Rule);
            }
            Command::Open { .. } => {}
        }
        Ok(())
    }

    fn apply(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::Opened { address } => self.address = Some(address),
            AccountEvent::Welcomed => {}
            AccountEvent::Renamed { name } => self.names.push(name),
            AccountEvent::Moved { to, .. } => self.address = Some(to),
        }
    }
}

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Opened { .. } => "Opened",
            Self::Welcomed => "Welcomed",
            Self::Renamed { .. } => "Renamed",
            Self::Moved { .. } => "Moved",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        match self {
            Self::Renamed { .. } => "2",
            Self::Opened { .. } | Self::Welcomed | Self::Moved { .. } => "1",
        }
        .to_owned()
    }
}

/// Version 1 of `Renamed` had `to` for `name`.
pub(crate) const SCHEMA: Schema = Schema {
    types: &[("Opened", 1), ("Welcomed", 1), ("Renamed", 2), ("Moved", 1)],
    upcasters: &[Upcaster {
        event_type: "Renamed",
        from_version: 1,
        upcast: |old| json!({ "name": old["to"] }),
    }],
};

impl EventSourced for Account {
    const STREAM: &'static str = "ACCOUNT";
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        SCHEMA
    }

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        match event {
            AccountEvent::Opened { address } => vec![Claim::take("address", address)],
            AccountEvent::Moved { from, to } => {
                vec![Claim::release("address", from), Claim::take("address", to)]
            }
            AccountEvent::Welcomed | AccountEvent::Renamed { .. } => Vec::new(),
        }
    }

    fn taken(kind: &str) -> Refusal {
        Refusal::Taken(kind.to_owned())
    }
}
