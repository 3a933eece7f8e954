//! `doran`: every role and every tool of DoranDoran in one binary.

mod cli;
mod commands;
mod exit;
mod front_door;
mod output;
mod platform;
mod process;
mod progress;

use std::process::ExitCode;

use mimalloc::MiMalloc;

use crate::cli::Cli;

/// A message costs hundreds of small allocations, most of them in NATS headers.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    exit::report(Cli::read().run().await)
}
