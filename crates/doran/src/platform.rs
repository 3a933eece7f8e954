//! What a role has, for tools: connections, keys and directories, and nothing that serves.

use anyhow::Result;
use doran_platform::{Clock, Config, Lifecycle, Platform};

use crate::exit::dependency;

/// Does `work` and stops everything in order.
pub(crate) async fn with<T>(
    config: Config,
    name: &str,
    work: impl AsyncFnOnce(&Platform) -> Result<T>,
) -> Result<T> {
    let lifecycle = Lifecycle::default();
    let config = Config {
        dev: false,
        ..config
    };
    let started = Platform::start(config, Clock::system(), lifecycle.clone(), name).await;
    let done = match started.map_err(dependency) {
        Ok(platform) => work(&platform).await,
        Err(error) => Err(error),
    };
    lifecycle.stop().await;
    done
}
