//! `doran policies`: what follows from events by itself.

mod parked;
mod retry;
mod status;

use anyhow::Result;
use async_nats::jetstream;
use doran_platform::{Config, nats};
use doran_projection::policy::Declaration;

use crate::exit::dependency;

/// The policies of all services.
const EVERY: [Declaration; 8] = [
    doran_auth::END_WITH_ACCOUNT,
    doran_chat::CALL_BOTS,
    doran_chat::FOLLOW_OWNER,
    doran_chat::LET_DELETED_GO,
    doran_chat::NOTE_ERASED,
    doran_store::DELETE_BYTES,
    doran_store::LET_BELONGINGS_GO,
    doran_user::ERASE_DELETED,
];

/// Look after what follows from events by itself
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran policies status")]
pub(crate) enum Policies {
    Status(status::Status),
    Parked(parked::Parked),
    Retry(retry::Retry),
}

/// Flags of all three.
#[derive(Debug, clap::Args)]
struct Options {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Policies {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Status(status) => status.run().await,
            Self::Parked(parked) => parked.run().await,
            Self::Retry(retry) => retry.run().await,
        }
    }
}

impl Options {
    async fn connect(&self) -> Result<jetstream::Context> {
        let client = nats::connect(&self.config, "doran policies").await;
        Ok(jetstream::new(client.map_err(dependency)?))
    }
}
