//! `doran users suspend`.

use anyhow::Result;
use doran_user::admin;

use super::{Options, change};

/// Lock the person with this address out, on every device at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran users suspend kim@example.com")]
pub(crate) struct Suspend {
    /// The e-mail address they registered with
    email: String,
    #[command(flatten)]
    options: Options,
}

impl Suspend {
    pub(crate) async fn run(self) -> Result<()> {
        let json = self.options.json;
        let change = async |platform: &_| Ok(admin::suspend(platform, &self.email).await?);
        let changed = self.options.with_platform(change).await?;
        change::print(&changed, "suspended", json)
    }
}
