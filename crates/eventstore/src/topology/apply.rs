//! Making a server match the files.

use async_nats::jetstream::{self, context::CreateStreamErrorKind, stream::Config};
use uuid::Uuid;

use super::{Difference, INCARNATION, StreamFile, Topology, TopologyError, incarnation};
use crate::{
    BoxError,
    deadline::{Deadline, TOTAL},
};

/// How streams are applied.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// Instead of the files' `num_replicas`.
    pub replicas: Option<usize>,
    /// A fresh random id: streams that are created now get it as their incarnation, and keep it.
    pub incarnation: Uuid,
}

/// What was done to one stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    Created {
        stream: String,
    },
    Updated {
        stream: String,
        differences: Vec<Difference>,
    },
    Unchanged {
        stream: String,
    },
}

impl Topology {
    /// Creates what is missing and updates what differs, in the order of the files. Never deletes.
    pub async fn apply(
        &self,
        js: &jetstream::Context,
        options: ApplyOptions,
    ) -> Result<Vec<Applied>, TopologyError> {
        let mut applied = Vec::new();
        for file in &self.streams {
            applied.push(file.apply(js, options).await?);
        }
        Ok(applied)
    }
}

impl StreamFile {
    async fn apply(
        &self,
        js: &jetstream::Context,
        options: ApplyOptions,
    ) -> Result<Applied, TopologyError> {
        let stream = self.name().to_owned();
        let mut live = self.live(js).await?;
        if live.is_none() {
            let created = self.change(js.create_stream(self.config_with(None, options)));
            match created.await? {
                Change::Made => return Ok(Applied::Created { stream }),
                // Somebody else applies the files at the same time.
                Change::NameInUse(_) => live = self.live(js).await?,
            }
        }
        let differences = self.differences(live.as_ref(), options.replicas);
        if differences.is_empty() {
            return Ok(Applied::Unchanged { stream });
        }
        let config = self.config_with(live.as_ref(), options);
        match self.change(js.update_stream(config)).await? {
            Change::Made => Ok(Applied::Updated {
                stream,
                differences,
            }),
            Change::NameInUse(source) => Err(TopologyError::Refused { stream, source }),
        }
    }

    /// What the server shall have: the incarnation that it has, else the new one.
    fn config_with(&self, live: Option<&Config>, options: ApplyOptions) -> Config {
        let mut config = self.wanted(options.replicas);
        let kept = live.and_then(incarnation).map(str::to_owned);
        let incarnation = kept.unwrap_or_else(|| options.incarnation.to_string());
        config.metadata.insert(INCARNATION.to_owned(), incarnation);
        config
    }

    async fn change<T>(
        &self,
        change: impl Future<Output = Result<T, jetstream::context::CreateStreamError>>,
    ) -> Result<Change, TopologyError> {
        let refused = |source: BoxError| TopologyError::Refused {
            stream: self.name().to_owned(),
            source,
        };
        match Deadline::after(TOTAL).wait_for(change).await {
            Ok(Ok(_)) => Ok(Change::Made),
            Ok(Err(error)) => match error.kind() {
                CreateStreamErrorKind::JetStream(reason)
                    if reason.error_code() == jetstream::ErrorCode::STREAM_NAME_EXIST =>
                {
                    Ok(Change::NameInUse(error.into()))
                }
                _ => Err(refused(error.into())),
            },
            Err(elapsed) => Err(refused(elapsed.into())),
        }
    }
}

enum Change {
    Made,
    NameInUse(BoxError),
}
