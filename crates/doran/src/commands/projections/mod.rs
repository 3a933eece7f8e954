//! `doran projections`: the read models.

mod status;

use anyhow::Result;

/// The schemas that read models live in, one a service.
pub(crate) const SCHEMAS: [&str; 3] = ["auth", "user_schema", "chat"];

/// Look after the read models
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran projections status")]
pub(crate) enum Projections {
    Status(status::Status),
}

impl Projections {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Status(status) => status.run().await,
        }
    }
}
