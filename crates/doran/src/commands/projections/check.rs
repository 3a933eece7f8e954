//! `doran projections check`.

use anyhow::{Context, Result};
use doran_platform::{Config, Platform, database};
use sqlx::AssertSqlSafe;

use super::ServiceName;
use crate::{exit::dependency, output, platform};

/// Check every read model against the tables that its migrations make, in a schema of its own
///
/// Every statement must run on the tables, touch only those that its projection.toml lists, and
/// give the same rows at every replay; every event type must be known.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections check")]
pub(crate) struct Check {
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Check {
    pub(crate) async fn run(self) -> Result<()> {
        platform::with(self.config, "projections", async |platform| {
            for name in ServiceName::ALL {
                let checked = check(platform, name).await;
                let count = checked.with_context(|| format!("{name:?} is not fit"))?;
                output::line(&format!("{}: all fit ({count})", name.schema()))?;
            }
            Ok(())
        })
        .await
    }
}

async fn check(platform: &Platform, name: ServiceName) -> Result<usize> {
    let schema = format!("{}_check", name.schema());
    let pool = database::pool(&platform.config, &schema)?;
    let drop = format!("drop schema if exists {schema} cascade");
    let drop = async || {
        let dropped = sqlx::query(AssertSqlSafe(drop.clone()))
            .execute(&pool)
            .await;
        dropped.map_err(dependency)
    };
    drop().await?;
    let read_side = name.read_side(platform)?;
    let checked = async {
        read_side.migrate(&pool, &schema).await?;
        let service = read_side.service(platform, pool.clone(), &schema)?;
        let mut connection = pool.acquire().await?;
        let mut count = 0;
        for read_model in service.read_models() {
            read_model.check(&mut connection).await?;
            count += 1;
        }
        anyhow::Ok(count)
    };
    let checked = checked.await;
    drop().await?;
    checked
}
