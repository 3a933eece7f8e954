//! `doran users promote`.

use anyhow::Result;
use doran_user::admin;

use super::{Options, change};

/// Make the person with this address an administrator
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran users promote kim@example.com")]
pub(crate) struct Promote {
    /// The e-mail address they registered with
    email: String,
    #[command(flatten)]
    options: Options,
}

impl Promote {
    pub(crate) async fn run(self) -> Result<()> {
        let json = self.options.json;
        let change = async |platform: &_| Ok(admin::promote(platform, &self.email).await?);
        let changed = self.options.with_platform(change).await?;
        change::print(&changed, "an administrator", json)
    }
}
