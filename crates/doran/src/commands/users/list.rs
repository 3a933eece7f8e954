//! `doran users list`.

use anyhow::Result;
use doran_contract::user::User;
use doran_user::admin;
use serde_json::Value;

use super::Options;
use crate::output;

const PAGE: u32 = 100;

/// List people, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran users list --limit 20 --json")]
pub(crate) struct List {
    /// List so many at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
    #[command(flatten)]
    options: Options,
}

impl List {
    pub(crate) async fn run(self) -> Result<()> {
        let json = self.options.json;
        let people = self
            .options
            .with_platform(async |platform| {
                let mut people = Vec::new();
                let mut cursor = None;
                while people.len() < self.limit {
                    let page = admin::list(platform, cursor, PAGE).await?;
                    people.extend(page.items);
                    cursor = page.next_cursor.map(|cursor| cursor.parse()).transpose()?;
                    if cursor.is_none() {
                        break;
                    }
                }
                people.truncate(self.limit);
                Ok(people)
            })
            .await?;
        if json {
            return people.iter().try_for_each(output::json);
        }
        let headings = ["ID", "E-MAIL", "NAME", "STATUS", "ROLE", "SINCE"];
        Ok(output::table(headings, people.iter().map(columns))?)
    }
}

fn columns(user: &User) -> [String; 6] {
    [
        user.id.to_string(),
        output::printable(user.email.as_deref().unwrap_or_default()),
        output::printable(&user.name),
        word(&serde_json::json!(user.status)),
        word(&serde_json::json!(user.role)),
        user.created_at.to_string(),
    ]
}

/// A status or role as the contract writes it.
fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
