//! `./dev`: runs the whole system, its tests or its command line from a source tree.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to a person"
)]

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "./dev", bin_name = "./dev", disable_help_flag = false)]
/// Runs DoranDoran from this source tree
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, start it on this machine and say where to look; Ctrl-C ends it
    Up(commands::up::Options),
    /// Run the doran command line against what `./dev up` has started: ./dev doran streams check
    #[command(disable_help_flag = true)]
    Doran {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every test with private servers; further arguments go to the test runner
    #[command(disable_help_flag = true)]
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Up(options) => commands::up::run(&options),
        Command::Doran { arguments } => commands::doran::run(&arguments),
        Command::Test { arguments } => commands::test::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("./dev: {error:#}");
        ExitCode::FAILURE
    })
}
