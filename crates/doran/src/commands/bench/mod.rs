//! `doran bench`: figures that anybody can repeat, each beside a raw baseline of the same run.
//!
//! Machines are noisy, so what counts is the ratio: baseline and candidate take turns, and the
//! median of the rounds is told.

mod append;
mod counter;
mod load;
mod send;
mod stream;
mod summary;

use anyhow::Result;

/// Measure the event store against raw NATS on the server that the system uses
///
/// Writes into a stream of its own, BENCH, and deletes it afterwards.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran bench append --seconds 5 --rounds 5")]
pub(crate) enum Bench {
    Append(append::Append),
    Load(load::Load),
    Send(send::Send),
}

impl Bench {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Append(append) => append.run().await,
            Self::Load(load) => load.run().await,
            Self::Send(send) => send.run().await,
        }
    }
}
