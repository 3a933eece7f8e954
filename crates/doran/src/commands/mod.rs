//! The commands, one file each: its flags, and what it does.

mod doctor;
mod events;
mod projections;
mod streams;

use anyhow::Result;
use futures_util::future::LocalBoxFuture;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    #[command(subcommand)]
    Streams(streams::Streams),
    #[command(subcommand)]
    Events(events::Events),
    #[command(subcommand)]
    Projections(projections::Projections),
    Doctor(doctor::Doctor),
}

impl Command {
    /// What is logged unless somebody says so: tools speak by their output.
    pub(crate) fn log_level(&self) -> &'static str {
        match self {
            Self::Streams(_) | Self::Events(_) | Self::Projections(_) | Self::Doctor(_) => "warn",
        }
    }

    pub(crate) fn run(self) -> LocalBoxFuture<'static, Result<()>> {
        match self {
            Self::Streams(streams) => Box::pin(streams.run()),
            Self::Events(events) => Box::pin(events.run()),
            Self::Projections(projections) => Box::pin(projections.run()),
            Self::Doctor(doctor) => Box::pin(doctor.run()),
        }
    }
}
