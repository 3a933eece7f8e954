//! `doran gateway`: the front door, in front of services in other processes.

use anyhow::Result;
use axum::http::{Uri, uri::Scheme};
use doran_gateway::{Upstream, Upstreams};
use doran_platform::http::Health;

use crate::{
    front_door,
    process::{self, RoleOptions},
};

const PORT: u16 = 8080;

/// Run the front door on port 8080: page, API and sockets in front of the services
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran gateway --nats-user gateway --chat-url http://10.0.0.7:8083,http://10.0.0.8:8083")]
pub(crate) struct Gateway {
    /// Where instances of auth listen, comma separated
    #[arg(long, env = "AUTH_URLS", value_name = "URL", value_delimiter = ',',
          value_parser = base, default_value = "http://127.0.0.1:8081")]
    auth_url: Vec<Uri>,
    /// Where instances of user listen, comma separated
    #[arg(long, env = "USER_URLS", value_name = "URL", value_delimiter = ',',
          value_parser = base, default_value = "http://127.0.0.1:8082")]
    user_url: Vec<Uri>,
    /// Where instances of chat listen, comma separated
    #[arg(long, env = "CHAT_URLS", value_name = "URL", value_delimiter = ',',
          value_parser = base, default_value = "http://127.0.0.1:8083")]
    chat_url: Vec<Uri>,
    /// Where instances of store listen, comma separated
    #[arg(long, env = "STORE_URLS", value_name = "URL", value_delimiter = ',',
          value_parser = base, default_value = "http://127.0.0.1:8084")]
    store_url: Vec<Uri>,
    /// Where instances of batch listen, comma separated
    #[arg(long, env = "BATCH_URLS", value_name = "URL", value_delimiter = ',',
          value_parser = base, default_value = "http://127.0.0.1:8085")]
    batch_url: Vec<Uri>,
    #[command(flatten)]
    options: RoleOptions,
}

impl Gateway {
    pub(crate) async fn run(self) -> Result<()> {
        process::refuse_dev("gateway", &self.options)?;
        let upstreams = Upstreams {
            auth: Upstream::Http(self.auth_url),
            users: Upstream::Http(self.user_url),
            chat: Upstream::Http(self.chat_url),
            store: Upstream::Http(self.store_url),
            batch: Upstream::Http(self.batch_url),
        };
        process::run("gateway", PORT, self.options, async |process| {
            front_door::start(process, upstreams, Health::default()).await
        })
        .await
    }
}

/// The services are called over plain HTTP, inside of the installation's own network.
fn base(text: &str) -> Result<Uri, &'static str> {
    let form = "give http://host:port";
    let uri: Uri = text.trim().parse().map_err(|_invalid| form)?;
    let is_base = uri.scheme() == Some(&Scheme::HTTP) && uri.authority().is_some();
    if is_base { Ok(uri) } else { Err(form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_service_is_plain_http() {
        assert_eq!(
            base(" http://chat:8083").unwrap().authority().unwrap(),
            "chat:8083"
        );
        for text in ["chat:8083", "https://chat:8083", "/chat", "", "http://"] {
            assert!(base(text).is_err(), "{text}");
        }
    }
}
