//! `doran policies retry`.

use anyhow::{Result, anyhow};
use doran_projection::policy::{Declaration, OperateError, parked, retry};
use serde_json::json;

use super::{EVERY, Options};
use crate::{exit::dependency, output};

/// Let parked aggregates go: the services handle their events again, in their order
///
/// An aggregate that cannot be handled yet is parked again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran policies retry rooms-follow-owner --all")]
pub(crate) struct Retry {
    /// The policy, as `doran policies parked` shows it
    policy: String,
    /// The aggregate, as `doran policies parked` shows it
    #[arg(required_unless_present = "all")]
    aggregate: Option<String>,
    /// Every aggregate that this policy has parked
    #[arg(long, conflicts_with = "aggregate")]
    all: bool,
    #[command(flatten)]
    options: Options,
}

impl Retry {
    pub(crate) async fn run(self) -> Result<()> {
        let declaration = find(&self.policy)?;
        let js = self.options.connect().await?;
        let aggregates = if let Some(aggregate) = self.aggregate {
            vec![aggregate]
        } else {
            let parked = parked(&js, &declaration).await.map_err(dependency)?;
            parked.into_iter().map(|parked| parked.aggregate).collect()
        };
        for aggregate in aggregates {
            match retry(&js, &declaration, &aggregate).await {
                Ok(()) => {}
                Err(error @ OperateError::Unavailable(_)) => return Err(dependency(error)),
                Err(error) => return Err(error.into()),
            }
            if self.options.json {
                output::json(&json!({ "policy": self.policy, "aggregate": aggregate }))?;
            } else {
                output::line(&format!("{} {aggregate}: let go", self.policy))?;
            }
        }
        Ok(())
    }
}

fn find(name: &str) -> Result<Declaration> {
    let found = EVERY
        .into_iter()
        .find(|declaration| declaration.name == name);
    found.ok_or_else(|| anyhow!("there is no policy {name}; `doran policies status` lists them"))
}
