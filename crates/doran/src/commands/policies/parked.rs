//! `doran policies parked`.

use anyhow::Result;
use doran_projection::policy::{self, Declaration};
use serde_json::json;

use super::{EVERY, Options};
use crate::{exit::dependency, output};

/// List the aggregates whose events could not be handled, with the event at which each stopped
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran policies parked")]
pub(crate) struct Parked {
    #[command(flatten)]
    options: Options,
}

impl Parked {
    pub(crate) async fn run(self) -> Result<()> {
        let js = self.options.connect().await?;
        let mut rows = Vec::new();
        for declaration in EVERY {
            let parked = policy::parked(&js, &declaration)
                .await
                .map_err(dependency)?;
            rows.extend(parked.into_iter().map(|parked| (declaration, parked)));
        }
        if self.options.json {
            return rows
                .iter()
                .try_for_each(|(declaration, parked)| output::json(&as_json(declaration, parked)));
        }
        if rows.is_empty() {
            return Ok(output::line("nothing is parked")?);
        }
        let headings = ["POLICY", "AGGREGATE", "FIRST", "TYPE", "REASON"];
        let rows = rows
            .iter()
            .map(|(declaration, parked)| columns(declaration, parked));
        Ok(output::table(headings, rows)?)
    }
}

fn as_json(declaration: &Declaration, parked: &policy::Parked) -> serde_json::Value {
    json!({
        "policy": declaration.name,
        "aggregate": parked.aggregate,
        "sequence": parked.sequence,
        "eventType": parked.event_type,
        "reason": parked.reason,
        "parkedAt": parked.parked_at,
    })
}

fn columns(declaration: &Declaration, parked: &policy::Parked) -> [String; 5] {
    [
        declaration.name.to_owned(),
        output::printable(&parked.aggregate),
        parked.sequence.to_string(),
        output::printable(&parked.event_type),
        output::printable(&parked.reason),
    ]
}
