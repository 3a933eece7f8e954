//! The language of DoranDoran: ids, subjects, events, and the JSON of every answer and frame.
//!
//! Pure data and parsing. No I/O, no clock, no randomness, no business rule.

pub mod answer;
#[cfg(test)]
mod asyncapi;
pub mod bot;
pub mod command;
mod date;
pub mod events;
pub mod frame;
pub mod id;
pub mod job;
pub mod message;
pub mod room;
mod sealed;
pub mod session;
pub mod store;
pub mod subject;
mod timestamp;
pub mod upkeep;
pub mod user;

pub use answer::{Answer, ErrorCode, FieldError, Page};
pub use date::Date;
pub use id::{
    BlobId, BookmarkId, ClientMessageId, FileId, MessageId, RoomId, RunId, SessionId, UserId,
};
pub use sealed::Sealed;
pub use timestamp::Timestamp;
