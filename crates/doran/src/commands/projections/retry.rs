//! `doran projections retry`.

use anyhow::{Result, bail};
use doran_platform::database;

use super::Options;
use crate::{exit::dependency, output};

/// Apply parked events again, in their order, after what stood against them was mended
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections retry chat --all")]
pub(crate) struct Retry {
    #[command(flatten)]
    options: Options,
    /// The read model, as `doran projections parked` shows it
    #[arg(required_unless_present = "all", requires = "aggregate")]
    read_model: Option<String>,
    /// The aggregate, as `doran projections parked` shows it
    aggregate: Option<String>,
    /// Every aggregate that is parked
    #[arg(long, conflicts_with = "read_model")]
    all: bool,
}

impl Retry {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        let chosen = self.read_model.zip(self.aggregate);
        self.options
            .with_platform(async |platform| {
                let pool = database::pool(&platform.config, name.schema())?;
                let service = name
                    .read_side(platform)?
                    .service(platform, pool, name.schema())?;
                let wanted = if let Some(chosen) = chosen {
                    vec![chosen]
                } else {
                    let parked = service.parked().await.map_err(dependency)?;
                    let names = parked.into_iter().map(|p| (p.read_model, p.aggregate));
                    names.collect()
                };
                let mut failed = 0;
                for (read_model, aggregate) in wanted {
                    let retried = service.retry_parked(&read_model, &aggregate).await?;
                    failed += usize::from(retried.stopped_by.is_some());
                    if json {
                        output::json(&serde_json::json!({
                            "readModel": read_model,
                            "aggregate": aggregate,
                            "applied": retried.applied,
                            "stoppedBy": retried.stopped_by,
                        }))?;
                    } else {
                        let how = retried.stopped_by.map_or_else(
                            || "nothing is parked any more".to_owned(),
                            |reason: String| format!("then: {}", output::printable(&reason)),
                        );
                        let applied = retried.applied;
                        output::line(&format!(
                            "{read_model} {aggregate}: {applied} applied, {how}"
                        ))?;
                    }
                }
                if failed > 0 {
                    bail!("{failed} aggregates stay parked");
                }
                Ok(())
            })
            .await
    }
}
