//! `doran streams apply`: makes the server's streams what the files say.

use anyhow::Result;
use doran_eventstore::topology::{Applied, ApplyOptions};
use doran_platform::{Clock, streams};
use serde_json::{Value, json};

use super::{Options, diff};
use crate::{exit::dependency, output};

/// Create the streams that are missing and update those that differ; deletes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran streams apply --replicas 3")]
pub(crate) struct Apply {
    #[command(flatten)]
    options: Options,
}

impl Apply {
    pub(crate) async fn run(self) -> Result<()> {
        let js = self.options.connect().await?;
        let options = ApplyOptions {
            replicas: self.options.replicas(),
            incarnation: Clock::system().new_id(),
        };
        let applied = streams::topology()?
            .apply(&js, options)
            .await
            .map_err(dependency)?;
        if self.options.json {
            return output::json(&applied.iter().map(value).collect::<Vec<_>>());
        }
        for applied in &applied {
            print(applied)?;
        }
        Ok(())
    }
}

fn print(applied: &Applied) -> std::io::Result<()> {
    match applied {
        Applied::Created { stream } => output::line(&format!("created    {stream}")),
        Applied::Unchanged { stream } => output::line(&format!("unchanged  {stream}")),
        Applied::Updated {
            stream,
            differences,
        } => {
            let fields: Vec<_> = differences.iter().map(diff::field).collect();
            output::line(&format!("updated    {stream}  {}", fields.join(", ")))
        }
    }
}

fn value(applied: &Applied) -> Value {
    match applied {
        Applied::Created { stream } => json!({ "stream": stream, "outcome": "created" }),
        Applied::Unchanged { stream } => json!({ "stream": stream, "outcome": "unchanged" }),
        Applied::Updated {
            stream,
            differences,
        } => json!({
            "stream": stream,
            "outcome": "updated",
            "differences": differences.iter().map(diff::value).collect::<Vec<_>>(),
        }),
    }
}
