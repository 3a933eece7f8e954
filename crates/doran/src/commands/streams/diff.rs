//! `doran streams diff`: where the server's streams are not what the files say.

use anyhow::Result;
use doran_eventstore::topology::Difference;
use doran_platform::streams;
use serde_json::{Value, json};

use super::Options;
use crate::{exit::dependency, output};

/// Show what `apply` would change; changes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran streams diff --json")]
pub(crate) struct Diff {
    #[command(flatten)]
    options: Options,
}

impl Diff {
    pub(crate) async fn run(self) -> Result<()> {
        let js = self.options.connect().await?;
        let topology = streams::topology()?;
        let differences = topology
            .diff(&js, self.options.replicas())
            .await
            .map_err(dependency)?;
        if self.options.json {
            return output::json(&differences.iter().map(value).collect::<Vec<_>>());
        }
        if differences.is_empty() {
            output::line("the streams are as their files say")?;
        }
        for difference in &differences {
            output::line(&difference.to_string())?;
        }
        Ok(())
    }
}

/// The difference without its stream, for a line that names the stream already.
pub(super) fn field(difference: &Difference) -> String {
    match difference {
        Difference::Missing { .. } => "missing".to_owned(),
        Difference::NoIncarnation { .. } => "no incarnation".to_owned(),
        Difference::Field {
            field, file, live, ..
        } => format!("{field}: {live} -> {file}"),
    }
}

pub(super) fn value(difference: &Difference) -> Value {
    match difference {
        Difference::Missing { stream } => json!({ "stream": stream, "missing": true }),
        Difference::NoIncarnation { stream } => {
            json!({ "stream": stream, "noIncarnation": true })
        }
        Difference::Field {
            stream,
            field,
            file,
            live,
        } => {
            json!({ "stream": stream, "field": field, "file": file, "live": live })
        }
    }
}
