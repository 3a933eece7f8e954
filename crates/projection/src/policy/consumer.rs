//! The durable consumer of a policy: made at the first start, one version at a time.

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
    stream::{Info, Stream},
};
use doran_eventstore::{BoxError, Leader, topology::incarnation};
use futures_util::TryStreamExt;

use super::{Declaration, Start, Timing};

/// Why the consumer cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("version {0} of it runs: this build is too old")]
    Superseded(u32),
    #[error("its consumer cannot be opened: {0}")]
    Unavailable(#[source] BoxError),
}

pub(super) struct Opened {
    pub(super) consumer: PullConsumer,
    /// The first sequence that it delivers.
    pub(super) first: u64,
    pub(super) incarnation: String,
}

/// Finds the consumer or makes it, and removes those of older versions.
pub(super) async fn open(
    js: &jetstream::Context,
    declaration: &Declaration,
    timing: &Timing,
) -> Result<Opened, OpenError> {
    let stream = js.get_stream(declaration.stream).await;
    let stream = stream.map_err(unavailable)?;
    let names: Vec<String> = stream
        .consumer_names()
        .try_collect()
        .await
        .map_err(unavailable)?;
    let mut versions: Vec<_> = names
        .iter()
        .filter_map(|name| Some((declaration.version_of(name)?, name)))
        .collect();
    versions.sort_unstable();
    if let Some((version, _)) = versions.last().filter(|(v, _)| *v > declaration.version) {
        return Err(OpenError::Superseded(*version));
    }
    let before = versions
        .last()
        .map(|(version, name)| (*version, name.as_str()));
    let leader = Leader::new(js.clone(), declaration.stream);
    let info = leader.info().await.map_err(unavailable)?;
    let first = first(&stream, &info, declaration, before).await?;
    let consumer = stream
        .create_consumer(config(declaration, timing, first))
        .await
        .map_err(unavailable)?;
    for (version, name) in versions {
        if version < declaration.version {
            stream.delete_consumer(name).await.map_err(unavailable)?;
        }
    }
    Ok(Opened {
        consumer,
        first,
        incarnation: incarnation(&info.config).unwrap_or_default().to_owned(),
    })
}

/// Where this version begins; `before` is the newest consumer of the policy there is.
async fn first(
    stream: &Stream,
    info: &Info,
    declaration: &Declaration,
    before: Option<(u32, &str)>,
) -> Result<u64, OpenError> {
    match (before, declaration.start) {
        (Some((version, name)), _) if version == declaration.version => {
            Ok(reach(stream, name).await?.first)
        }
        (_, Start::All) => Ok(1),
        (Some((_, name)), Start::New) => Ok(reach(stream, name).await?.unhandled),
        (None, Start::New) => Ok(info.state.last_sequence + 1),
    }
}

struct Reach {
    first: u64,
    /// Everything before it has been acknowledged.
    unhandled: u64,
}

async fn reach(stream: &Stream, consumer: &str) -> Result<Reach, OpenError> {
    let info = stream.consumer_info(consumer).await.map_err(unavailable)?;
    let first = match info.config.deliver_policy {
        DeliverPolicy::ByStartSequence { start_sequence } => start_sequence,
        _ => 1,
    };
    Ok(Reach {
        first,
        unhandled: first.max(info.ack_floor.stream_sequence + 1),
    })
}

fn config(declaration: &Declaration, timing: &Timing, first: u64) -> pull::Config {
    let filters = declaration.filters.iter();
    pull::Config {
        durable_name: Some(declaration.consumer()),
        description: Some(format!("policy of the service {}", declaration.service)),
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: first,
        },
        ack_policy: AckPolicy::Explicit,
        ack_wait: timing.ack_wait,
        // The runner parks what does not pass; nothing vanishes by itself.
        max_deliver: -1,
        max_ack_pending: i64::try_from(timing.in_flight).unwrap_or(i64::MAX),
        filter_subjects: filters.map(|filter| (*filter).to_owned()).collect(),
        ..pull::Config::default()
    }
}

fn unavailable(error: impl Into<BoxError>) -> OpenError {
    OpenError::Unavailable(error.into())
}
