//! `doran bench idle`: what a socket costs that is open and says nothing.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::client::{At, Scene};
use crate::{output, progress::Progress};

/// The gateway's own figure of its memory.
const MEMORY: &str = "process_resident_memory_bytes";
/// Opened before the first look, so that pools and caches are there.
const WARM_UP: usize = 100;
/// Until what the log-ins took has been given back.
const REST: Duration = Duration::from_secs(5);

/// Measure how much of the gateway's memory an authenticated socket takes that is idle
///
/// In `doran all` it is the memory of the whole process, before and after.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran bench idle --sockets 5000")]
pub(crate) struct Idle {
    /// Sockets to open; both sides need so many open files
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u16).range(100..=60_000))]
    sockets: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

impl Idle {
    pub(crate) async fn run(self) -> Result<()> {
        let scene = Scene::set(&self.at, 1).await?;
        let mut sockets = Vec::new();
        for _ in 0..WARM_UP {
            sockets.push(scene.gateway.socket(scene.owner()).await?);
        }
        sleep(REST).await;
        let before = scene.gateway.figure(MEMORY).await?;
        let mut progress = Progress::new("opening sockets", u64::from(self.sockets));
        for number in 0..self.sockets {
            sockets.push(scene.gateway.socket(scene.owner()).await?);
            progress.at(u64::from(number));
        }
        progress.end();
        sleep(REST).await;
        let after = scene.gateway.figure(MEMORY).await?;
        let each = (after - before) / f64::from(self.sockets) / 1024.0;
        if self.json {
            return output::json(&json!({
                "bench": "idle",
                "sockets": self.sockets,
                "beforeBytes": before,
                "afterBytes": after,
                "socketKiB": each,
            }));
        }
        let mib = |bytes: f64| bytes / 1024.0 / 1024.0;
        Ok(output::line(&format!(
            "{} sockets: {:.1} MiB before, {:.1} MiB after, {each:.1} KiB each",
            self.sockets,
            mib(before),
            mib(after),
        ))?)
    }
}
