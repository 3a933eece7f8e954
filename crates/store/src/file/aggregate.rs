//! What may happen to a file, decided without clock, randomness or I/O.

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    events::{FILE_EVENTS, FileEvent, FileRemoved, FileStored},
    subject::{FILE, STORE_STREAM},
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::Error;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum File {
    #[default]
    Unknown,
    Stored(Box<FileStored>),
    Removed,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Store(Box<FileStored>),
    Remove,
}

impl File {
    fn decide(&self, command: Command) -> Result<FileEvent, Error> {
        match (self, command) {
            (Self::Unknown, Command::Store(stored)) => Ok((*stored).into()),
            (Self::Stored(_) | Self::Removed, Command::Store(_)) => Err(Error::AlreadyStored),
            (Self::Stored(stored), Command::Remove) => {
                let removed = FileRemoved {
                    file_id: stored.file_id,
                    uploader_id: stored.uploader_id,
                    blob_id: stored.blob_id,
                    size: stored.size,
                };
                Ok(removed.into())
            }
            (Self::Unknown | Self::Removed, Command::Remove) => Err(Error::NotFound),
        }
    }
}

impl Aggregate for File {
    const TYPE: &'static str = FILE;
    type Command = Command;
    type Event = FileEvent;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: FileEvent) {
        *self = match event {
            FileEvent::FileStored(stored) => Self::Stored(Box::new(stored)),
            FileEvent::FileRemoved(_) => Self::Removed,
        };
    }
}

impl EventSourced for File {
    const STREAM: &'static str = STORE_STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        event_schema(FILE_EVENTS)
    }

    /// Files claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::AlreadyStored
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use doran_contract::{BlobId, FileId, Sealed, UserId};
    use uuid::Uuid;

    use super::*;

    fn stored() -> FileStored {
        let uploader_id = UserId::new(Uuid::from_u128(1));
        FileStored {
            file_id: FileId::new(Uuid::from_u128(2)),
            uploader_id,
            blob_id: BlobId::new(Uuid::from_u128(3)),
            name: Sealed {
                key: uploader_id,
                data: String::new(),
            },
            media_type: "text/plain".to_owned(),
            size: 4,
            width: None,
            height: None,
        }
    }

    #[test]
    fn a_file_is_stored_once_and_its_id_is_never_used_again() {
        let store = || Command::Store(Box::new(stored()));
        let removed = FileRemoved {
            file_id: stored().file_id,
            uploader_id: stored().uploader_id,
            blob_id: stored().blob_id,
            size: 4,
        };
        let given = |events| TestFramework::<File>::with(()).given(events);
        given(vec![])
            .when(store())
            .then_expect_events(vec![stored().into()]);
        given(vec![stored().into()])
            .when(store())
            .then_expect_error(Error::AlreadyStored);
        given(vec![stored().into()])
            .when(Command::Remove)
            .then_expect_events(vec![removed.clone().into()]);
        for command in [store(), Command::Remove] {
            let refused = match command {
                Command::Store(_) => Error::AlreadyStored,
                Command::Remove => Error::NotFound,
            };
            given(vec![stored().into(), removed.clone().into()])
                .when(command)
                .then_expect_error(refused);
        }
        given(vec![])
            .when(Command::Remove)
            .then_expect_error(Error::NotFound);
    }
}
