//! `doran keys`: the keys that sign access tokens.

mod list;
mod rotate;

use std::path::PathBuf;

use anyhow::Result;
use async_nats::jetstream;
use doran_platform::{Config, access_token::SigningKeyError, key_rotation::KeyFiles, nats};

use crate::exit::dependency;

/// Look after the keys that sign access tokens
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran keys list\n  doran keys rotate")]
pub(crate) enum Keys {
    List(list::List),
    Rotate(rotate::Rotate),
}

/// Flags of both.
#[derive(Debug, clap::Args)]
struct Options {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Keys {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Rotate(rotate) => rotate.run().await,
        }
    }
}

impl Options {
    fn files(&self) -> Result<KeyFiles> {
        let path: Option<&PathBuf> = self.config.signing_key_file.as_ref();
        let missing = || {
            dependency(SigningKeyError::File {
                path: "DORAN_SIGNING_KEY_FILE".to_owned(),
                source: std::io::ErrorKind::NotFound.into(),
            })
        };
        Ok(KeyFiles::beside(path.ok_or_else(missing)?))
    }

    async fn connect(&self) -> Result<jetstream::Context> {
        let client = nats::connect(&self.config, "doran keys").await;
        Ok(jetstream::new(client.map_err(dependency)?))
    }
}
