//! `doran projections`: the read models.

mod abort;
mod check;
mod next;
mod options;
mod parked;
mod past;
mod rebuild;
mod retry;
mod service;
mod status;
mod swap;
mod verify;

use anyhow::Result;

use self::options::Options;
pub(crate) use self::service::ServiceName;
pub(super) use self::status::health;

/// Look after the read models
#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Example:\n  doran projections status\n  doran projections rebuild chat --verify"
)]
pub(crate) enum Projections {
    Status(status::Status),
    Rebuild(rebuild::Rebuild),
    Verify(verify::Verify),
    Swap(swap::Swap),
    Abort(abort::Abort),
    Check(check::Check),
    Parked(parked::Parked),
    Retry(retry::Retry),
}

impl Projections {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Status(status) => status.run().await,
            Self::Rebuild(rebuild) => rebuild.run().await,
            Self::Verify(verify) => verify.run().await,
            Self::Swap(swap) => swap.run().await,
            Self::Abort(abort) => abort.run().await,
            Self::Check(check) => check.run().await,
            Self::Parked(parked) => parked.run().await,
            Self::Retry(retry) => retry.run().await,
        }
    }
}
