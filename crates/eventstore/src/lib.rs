//! An event store for `cqrs-es` over NATS JetStream: guarded appends, claims, snapshots, lanes,
//! and readers that never skip and never repeat.
//!
//! It knows nothing of what the events mean, and it makes no read model.

mod aggregate;
mod append;
mod claim;
mod deadline;
pub mod envelope;
mod lane;
mod position;
mod publish;
mod reader;
mod recorded;
mod store;
pub mod topology;

pub use aggregate::{
    BoxError, CommandContext, EventSourced, ExecuteError, LoadError, Loaded, Outcome,
};
pub use claim::{Claim, ClaimAction, claim_subject};
pub use envelope::event_id;
pub use lane::{Appended, InFlight, Lane, NewEvent};
pub use position::{InvalidPosition, Position};
pub use publish::AppendError;
pub use reader::{Follow, LogChanged, LogReader, ReadError, Start};
pub use recorded::{DecodeError, NotRecorded, Recorded, Schema, Upcaster};
pub use store::{AggregateState, JetStreamStore, SnapshotPolicy};
