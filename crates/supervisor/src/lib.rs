//! Private NATS, PostgreSQL and Redis on loopback: found or fetched, started, watched, stopped.
//!
//! `./dev` is built on it, and so is the test kit. It is synchronous on purpose: it has to be
//! built before anything else can be, and its waits are few. It knows nothing of chat.

pub mod data;
pub mod environment;
pub mod http;
pub mod interrupt;
pub mod port;
pub mod process;
pub mod programs;
pub mod secret;
pub mod servers;

use std::path::{Path, PathBuf};

/// Where this source tree lies; the supervisor and the tests only ever run from a source tree.
pub fn workspace() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_path_buf()
}
