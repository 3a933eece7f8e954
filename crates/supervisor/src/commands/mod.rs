//! What `./dev` can do.

mod cargo;
mod demo;
mod deployment;
pub(crate) mod doran;
mod system;
pub(crate) mod test;
pub(crate) mod up;

use std::path::PathBuf;

use doran_supervisor::{environment, workspace};

/// Where everything lies that `./dev` makes: `.doran`, or where `DORAN_HOME` says.
fn home() -> PathBuf {
    let chosen = environment::variable("DORAN_HOME").map(PathBuf::from);
    chosen.unwrap_or_else(|| workspace().join(".doran"))
}

/// URLs and passwords of the system that runs.
fn environment_file() -> PathBuf {
    home().join("env")
}

fn say(text: &str) {
    println!("{text}");
}
