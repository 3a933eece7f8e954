//! `doran projections abort`.

use anyhow::Result;

use super::{Options, next::rebuild};
use crate::{exit::dependency, output};

/// Drop what a rebuild has built so far; what is in use is not touched
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections abort chat")]
pub(crate) struct Abort {
    #[command(flatten)]
    options: Options,
}

impl Abort {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        self.options
            .with_platform(async |platform| {
                let rebuild = rebuild(platform, name)?;
                let was_there = rebuild.found().await.map_err(dependency)?.next;
                rebuild.abort().await.map_err(dependency)?;
                let schema = rebuild.next();
                if json {
                    return output::json(
                        &serde_json::json!({ "schema": schema, "dropped": was_there }),
                    );
                }
                let what = if was_there {
                    "is dropped"
                } else {
                    "was not there"
                };
                Ok(output::line(&format!("{schema} {what}"))?)
            })
            .await
    }
}
