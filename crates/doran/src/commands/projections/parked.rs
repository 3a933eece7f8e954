//! `doran projections parked`.

use anyhow::Result;
use doran_platform::database;
use doran_projection::ParkedAggregate;
use serde_json::json;

use super::Options;
use crate::{exit::dependency, output};

/// List the aggregates whose events could not be applied, with the first reason of each
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections parked chat")]
pub(crate) struct Parked {
    #[command(flatten)]
    options: Options,
}

impl Parked {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        let parked = self
            .options
            .with_platform(async |platform| {
                let pool = database::pool(&platform.config, name.schema())?;
                let service = name
                    .read_side(platform)?
                    .service(platform, pool, name.schema())?;
                service.parked().await.map_err(dependency)
            })
            .await?;
        if json {
            return parked
                .iter()
                .try_for_each(|parked| output::json(&as_json(parked)));
        }
        if parked.is_empty() {
            return Ok(output::line("nothing is parked")?);
        }
        let headings = [
            "READ MODEL",
            "AGGREGATE",
            "EVENTS",
            "FIRST",
            "TYPE",
            "REASON",
        ];
        Ok(output::table(headings, parked.iter().map(columns))?)
    }
}

fn as_json(parked: &ParkedAggregate) -> serde_json::Value {
    json!({
        "readModel": parked.read_model,
        "aggregate": parked.aggregate,
        "events": parked.events,
        "sequence": parked.sequence,
        "eventType": parked.event_type,
        "reason": parked.reason,
        "parkedAt": parked.parked_at,
    })
}

fn columns(parked: &ParkedAggregate) -> [String; 6] {
    [
        parked.read_model.clone(),
        output::printable(&parked.aggregate),
        parked.events.to_string(),
        parked.sequence.to_string(),
        output::printable(&parked.event_type),
        output::printable(&parked.reason),
    ]
}
