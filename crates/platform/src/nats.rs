//! The connection to NATS.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};

use crate::Config;

#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    #[error("{0} is not a NATS address; give NATS_URL as nats://host:port")]
    Address(String),
    #[error(
        "NATS at {url} does not answer or refuses the log-in; start it, or set NATS_URL, NATS_USER, NATS_PASSWORD"
    )]
    Connect {
        url: String,
        source: async_nats::ConnectError,
    },
}

/// Connects as the role's own user; the name shows in the server's connection list.
pub async fn connect(config: &Config, name: &str) -> Result<Client, NatsError> {
    open(
        config,
        name,
        config.nats_user.as_deref(),
        config.nats_password.as_deref(),
    )
    .await
}

/// Connects to the system account; none without its user in the configuration.
pub async fn connect_system(config: &Config) -> Result<Option<Client>, NatsError> {
    let Some(user) = config.nats_system_user.as_deref() else {
        return Ok(None);
    };
    let password = config.nats_system_password.as_deref();
    open(config, "doran system", Some(user), password)
        .await
        .map(Some)
}

async fn open(
    config: &Config,
    name: &str,
    user: Option<&str>,
    password: Option<&str>,
) -> Result<Client, NatsError> {
    let servers = config
        .nats_url
        .split(',')
        .map(|url| url.trim().parse::<ServerAddr>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_error| NatsError::Address(config.nats_url.clone()))?;
    let mut options = ConnectOptions::new()
        .name(name)
        .connection_timeout(Duration::from_secs(3))
        .ping_interval(Duration::from_secs(5))
        .request_timeout(Some(Duration::from_secs(5)))
        .reconnect_delay_callback(|attempt| {
            Duration::from_millis(u64::try_from(attempt.min(20)).unwrap_or(20) * 50)
        })
        .event_callback(async |event| {
            count(&event);
            match event {
                // A forbidden publish shows nowhere else: to its caller it is a time-out.
                Event::ServerError(_) | Event::ClientError(_) => tracing::warn!(%event, "nats"),
                event => tracing::info!(%event, "nats"),
            }
        });
    // async-nats ignores a user in the URL, so it is given here.
    if let (Some(user), Some(password)) = (user, password) {
        options = options
            .user_and_password(user.to_owned(), password.to_owned())
            // The inboxes that nats.conf lets this user alone listen to.
            .custom_inbox_prefix(format!("_INBOX_{user}"));
    }
    options
        .connect(servers)
        .await
        .map_err(|source| NatsError::Connect {
            url: config.nats_url.clone(),
            source,
        })
}

fn count(event: &Event) {
    let connected = metrics::gauge!("nats_connected");
    let error = |kind| metrics::counter!("nats_errors_total", "kind" => kind).increment(1);
    match event {
        Event::Connected => {
            metrics::counter!("nats_connects_total").increment(1);
            connected.set(1.0);
        }
        Event::Disconnected | Event::Closed => connected.set(0.0),
        Event::ServerError(_) => error("server"),
        Event::ClientError(_) => error("client"),
        Event::SlowConsumer(_) => error("slow_consumer"),
        Event::LameDuckMode | Event::Draining => {}
    }
}
