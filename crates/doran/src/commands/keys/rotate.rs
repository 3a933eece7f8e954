//! `doran keys rotate`: the next key begins to sign.

use anyhow::Result;
use chrono::TimeDelta;
use doran_platform::{Clock, key_rotation::RotationError};
use serde_json::json;

use super::Options;
use crate::{exit::dependency, output};

/// Let the next key sign access tokens, and make the one after it
///
/// auth takes it up within two seconds; nobody has to log in again. The key before the last is
/// no longer trusted, so two rotations need the life of an access token between them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran keys rotate")]
pub(crate) struct Rotate {
    #[command(flatten)]
    options: Options,
}

/// Clocks may differ by so much when tokens are checked, with some to spare.
const MARGIN_SECONDS: i64 = 60;

impl Rotate {
    pub(crate) async fn run(self) -> Result<()> {
        let files = self.options.files()?;
        let js = self.options.connect().await?;
        let minutes = i64::from(self.options.config.access_token_minutes);
        let life = TimeDelta::minutes(minutes) + TimeDelta::seconds(MARGIN_SECONDS);
        let rotated = files.rotate(&js, Clock::system().now(), life).await;
        let key_id = rotated.map_err(|error| match error {
            RotationError::Publish(_) => dependency(error),
            RotationError::Key(_) | RotationError::Files(_) | RotationError::TooEarly(_) => {
                error.into()
            }
        })?;
        if self.options.json {
            return output::json(&json!({ "keyId": key_id }));
        }
        Ok(output::line(&format!("{key_id} signs from now on"))?)
    }
}
