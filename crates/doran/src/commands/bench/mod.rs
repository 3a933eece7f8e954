//! `doran bench`: figures that anybody can repeat, each beside a raw baseline of the same run.
//!
//! Machines are noisy, so what counts is the ratio: baseline and candidate take turns, and the
//! median of the rounds is told.

mod append;
mod client;
mod counter;
mod fanout;
mod idle;
mod load;
mod message;
mod read;
mod send;
mod shards;
mod socket;
mod stream;
mod summary;
mod words;

use anyhow::Result;

/// Measure the system that runs, beside a baseline of the same run
///
/// What is compared with raw NATS writes into a stream of its own, BENCH, and deletes it afterwards.
/// What goes over the gateway registers people and makes rooms, which stay: take a system that you
/// throw away, and start it with --no-limits.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran bench append --seconds 5 --rounds 5")]
pub(crate) enum Bench {
    Append(append::Append),
    Load(load::Load),
    Send(send::Send),
    Socket(socket::Socket),
    Fanout(fanout::Fanout),
    Idle(idle::Idle),
    Read(read::Read),
    Shards(shards::Shards),
}

impl Bench {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Append(append) => append.run().await,
            Self::Load(load) => load.run().await,
            Self::Send(send) => send.run().await,
            Self::Socket(socket) => socket.run().await,
            Self::Fanout(fanout) => fanout.run().await,
            Self::Idle(idle) => idle.run().await,
            Self::Read(read) => read.run().await,
            Self::Shards(shards) => shards.run().await,
        }
    }
}
