//! When a file was removed, by whomever and why ever, its bytes go.

use async_trait::async_trait;
use doran_contract::{
    events::{FILE_EVENTS, FileEvent, FileRemoved},
    subject::STORE_STREAM,
};
use doran_eventstore::Recorded;
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};

use crate::{blobs::Parts, commands::SOURCE, state::Service};

pub const DELETE_BYTES: Declaration = Declaration {
    service: SOURCE,
    name: "bytes-go-with-file",
    version: 1,
    stream: STORE_STREAM,
    filters: &["file.*.FileRemoved"],
    // No bytes may be left; what is deleted already takes no harm.
    start: Start::All,
};

pub(crate) struct DeleteBytes(pub(crate) Service);

#[async_trait]
impl Policy for DeleteBytes {
    type Command = FileRemoved;

    fn declaration(&self) -> Declaration {
        DELETE_BYTES
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<FileRemoved>, Failure> {
        Ok(match event.decode(&event_schema(FILE_EVENTS))? {
            FileEvent::FileRemoved(removed) => vec![removed],
            FileEvent::FileStored(_) => Vec::new(),
        })
    }

    async fn execute(&self, _: &Recorded, removed: FileRemoved) -> Result<(), Failure> {
        let parts = Parts::of(&self.0.blobs, removed.blob_id);
        let deleted = parts.delete(removed.size).await;
        deleted.map_err(Failure::transient)
    }
}
