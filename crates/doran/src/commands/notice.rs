//! `doran notice`: a word to everybody who is connected.

use std::time::Duration;

use anyhow::{Result, bail};
use doran_contract::{
    frame::{MAX_NOTICE_CHARS, Notice as Frame},
    subject,
};
use doran_platform::{Clock, Config, nats};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::{exit::dependency, output};

/// In which gateways answer. Nobody knows how many there are.
const PATIENCE: Duration = Duration::from_secs(1);

/// Say something to everybody who is connected now, such as when maintenance begins
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran notice \"오늘 22시부터 10분 동안 점검합니다\"")]
pub(crate) struct Notice {
    /// 1 to 500 characters in one line
    #[arg(value_parser = one_line)]
    text: String,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

fn one_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NOTICE_CHARS {
        return Err(format!("must have 1 to {MAX_NOTICE_CHARS} characters"));
    }
    if text.contains(char::is_control) {
        return Err("must be one line".to_owned());
    }
    Ok(text.to_owned())
}

impl Notice {
    pub(crate) async fn run(self) -> Result<()> {
        let client = nats::connect(&self.config, "doran notice")
            .await
            .map_err(dependency)?;
        let notice = Frame {
            message: self.text,
            at: Clock::system().timestamp(),
        };
        let body = serde_json::to_vec(&notice)?;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(inbox.clone()).await?;
        client
            .publish_with_reply(subject::NOTICE, inbox, body.into())
            .await?;
        let deadline = Instant::now() + PATIENCE;
        let (mut gateways, mut sockets) = (0, 0);
        while let Ok(Some(answer)) = timeout_at(deadline, answers.next()).await {
            // Without any subscriber the server itself answers, with nothing.
            let Ok(told) = std::str::from_utf8(&answer.payload)?.parse::<u64>() else {
                break;
            };
            gateways += 1;
            sockets += told;
        }
        if gateways == 0 {
            bail!("no gateway heard it; is one running?");
        }
        Ok(output::line(&format!(
            "sockets told: {sockets}, gateways: {gateways}; who comes later does not see it"
        ))?)
    }
}
