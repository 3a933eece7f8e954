//! A client as anybody's: HTTP and `doran.v1` sockets over the gateway, and nothing else.

mod http;
mod socket;

pub(super) use http::{Gateway, Person};
pub(super) use socket::{Answer, Frames, Socket};

use anyhow::Result;
use doran_contract::RoomId;

/// Where the gateway is.
#[derive(Debug, clap::Args)]
pub(super) struct At {
    /// The gateway, at which people are registered
    #[arg(
        long,
        env = "GATEWAY_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    gateway: String,
}

/// A room with its people, the owner first.
pub(super) struct Scene {
    pub(super) gateway: Gateway,
    pub(super) people: Vec<Person>,
    pub(super) room: RoomId,
}

impl Scene {
    pub(super) fn owner(&self) -> &Person {
        self.people.first().expect("a scene has its owner")
    }

    /// Registers so many people, and puts them into a room of their own.
    pub(super) async fn set(at: &At, people: usize) -> Result<Self> {
        let gateway = Gateway::new(&at.gateway)?;
        let mut members = Vec::with_capacity(people);
        for number in 0..people {
            members.push(gateway.register(number).await?);
        }
        let room = gateway.make_room(&members).await?;
        Ok(Self {
            gateway,
            people: members,
            room,
        })
    }
}
