//! `doran keys list`: what signs, what will, what did.

use anyhow::Result;
use doran_platform::{access_token::BUCKET, key_rotation::Place};
use futures_util::TryStreamExt;
use serde::Serialize;

use super::Options;
use crate::{exit::dependency, output};

/// Show the keys that everybody trusts, and which of them signs
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran keys list --json")]
pub(crate) struct List {
    #[command(flatten)]
    options: Options,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    key_id: String,
    place: &'static str,
    /// Whether tokens that it signed are accepted.
    is_trusted: bool,
}

impl List {
    pub(crate) async fn run(self) -> Result<()> {
        let files = self.options.files()?;
        let js = self.options.connect().await?;
        let bucket = js.get_key_value(BUCKET).await.map_err(dependency)?;
        let keys = bucket.keys().await.map_err(dependency)?;
        let mut trusted: Vec<String> = keys.try_collect().await.map_err(dependency)?;
        let mut rows = Vec::new();
        for (place, signer) in files.keys().map_err(dependency)? {
            let key_id = signer.key_id().to_owned();
            let known = trusted.iter().position(|trusted| *trusted == key_id);
            rows.push(Row {
                key_id,
                place: match place {
                    Place::Next => "next",
                    Place::Current => "current",
                    Place::Previous => "previous",
                },
                is_trusted: known.map(|index| trusted.remove(index)).is_some(),
            });
        }
        rows.extend(trusted.into_iter().map(|key_id| Row {
            key_id,
            place: "no file here",
            is_trusted: true,
        }));
        if self.options.json {
            return rows.iter().try_for_each(output::json);
        }
        let columns = rows.into_iter().map(|row| {
            let is_trusted = if row.is_trusted { "yes" } else { "no" };
            [row.key_id, row.place.to_owned(), is_trusted.to_owned()]
        });
        Ok(output::table(["KEY", "PLACE", "TRUSTED"], columns)?)
    }
}
