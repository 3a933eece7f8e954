//! The way to the log that the commands share.

use anyhow::{Context, Result, bail};
use async_nats::jetstream;
use chrono::{DateTime, Utc};
use doran_eventstore::LogReader;
use doran_platform::{nats, streams};

use super::{Options, open::Opener};
use crate::{commands::moment, exit::dependency};

/// A connection, and the keys if they were asked for.
pub(super) struct Log {
    pub(super) js: jetstream::Context,
    pub(super) opener: Option<Opener>,
}

impl Log {
    pub(super) async fn connect(options: &Options) -> Result<Self> {
        let client = nats::connect(&options.config, "doran events")
            .await
            .map_err(dependency)?;
        let js = jetstream::new(client);
        let opener = if options.open {
            Some(Opener::connect(&options.config, &js).await?)
        } else {
            None
        };
        Ok(Self { js, opener })
    }

    /// A reader of the stream, and the stream's last sequence.
    pub(super) async fn stream(&self, stream: &str) -> Result<(LogReader, u64)> {
        let known = streams::topology()?.streams;
        let names: Vec<_> = known.iter().map(|file| file.config.name.as_str()).collect();
        if !names.contains(&stream) {
            bail!(
                "there is no stream {stream}; there are {}",
                names.join(", ")
            );
        }
        let reader = LogReader::new(self.js.clone(), stream);
        let head = reader.head().await.map_err(dependency).with_context(|| {
            format!("stream {stream} cannot be read; `doran streams check` says why")
        })?;
        Ok((reader, head))
    }

    /// The first sequence of a time; of all time where none is given.
    pub(super) async fn first_since(
        &self,
        reader: &LogReader,
        since: Option<DateTime<Utc>>,
    ) -> Result<u64> {
        match since {
            Some(since) => Ok(moment::last_before(reader, since).await? + 1),
            None => Ok(1),
        }
    }
}
