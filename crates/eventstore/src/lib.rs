//! An event store for `cqrs-es` over NATS JetStream: guarded appends, claims, snapshots, lanes,
//! and readers that never skip and never repeat.
//!
//! It knows nothing of what the events mean, and it makes no read model. Every wait in it has a
//! deadline: 2 s for a read or one sending, 5 s for a command with all its retries.
//!
//! Metrics: `eventstore_commands_total{stream,outcome}`, `eventstore_conflicts_total{stream}`,
//! `eventstore_append_retries_total`, `eventstore_lane_events_total{outcome}`,
//! `eventstore_load_seconds{stream}`, `eventstore_snapshots_total{outcome}`,
//! `eventstore_follow_restarts_total{stream}`.
//!
//! ```no_run
//! use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
//! use doran_eventstore::{Claim, CommandContext, EventSourced, JetStreamStore, Schema};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Default, Serialize, Deserialize)]
//! struct Account {
//!     address: Option<String>,
//! }
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(tag = "type", content = "data")]
//! enum AccountEvent {
//!     Opened { address: String },
//! }
//!
//! impl DomainEvent for AccountEvent {
//!     fn event_type(&self) -> String {
//!         "Opened".to_owned()
//!     }
//!     fn event_version(&self) -> String {
//!         "1".to_owned()
//!     }
//! }
//!
//! #[derive(Debug, thiserror::Error)]
//! enum Refusal {
//!     #[error("the account is open already")]
//!     Open,
//!     #[error("the {0} belongs to somebody else")]
//!     Taken(String),
//! }
//!
//! impl Aggregate for Account {
//!     const TYPE: &'static str = "account";
//!     type Command = String;
//!     type Event = AccountEvent;
//!     type Error = Refusal;
//!     type Services = ();
//!
//!     async fn handle(
//!         &mut self,
//!         address: String,
//!         _: &(),
//!         sink: &EventSink<Self>,
//!     ) -> Result<(), Refusal> {
//!         if self.address.is_some() {
//!             return Err(Refusal::Open);
//!         }
//!         sink.write(AccountEvent::Opened { address }, self).await;
//!         Ok(())
//!     }
//!
//!     fn apply(&mut self, AccountEvent::Opened { address }: AccountEvent) {
//!         self.address = Some(address);
//!     }
//! }
//!
//! impl EventSourced for Account {
//!     const STREAM: &'static str = "ACCOUNT";
//!     const STATE_VERSION: u32 = 1;
//!
//!     fn schema() -> Schema {
//!         Schema { types: &[("Opened", 1)], upcasters: &[] }
//!     }
//!     fn claims(AccountEvent::Opened { address }: &AccountEvent) -> Vec<Claim> {
//!         vec![Claim::take("address", address)]
//!     }
//!     fn taken(kind: &str) -> Refusal {
//!         Refusal::Taken(kind.to_owned())
//!     }
//! }
//!
//! # async fn example(ctx: CommandContext) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let client = async_nats::connect("localhost:4222").await?;
//! let store = JetStreamStore::<Account>::new(async_nats::jetstream::new(client));
//! let outcome = store.execute(&(), "17", "a@example".to_owned(), &ctx).await?;
//! println!("{}", outcome.position); // ACCOUNT:3, for whoever reads what was written
//! # Ok(())
//! # }
//! ```

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
pub use publish::{AppendError, is_full};
pub use reader::{Follow, Leader, LogChanged, LogReader, Logs, ReadError, Start, subject_fits};
pub use recorded::{DecodeError, NotRecorded, Recorded, Schema, Upcaster};
pub use store::{AggregateState, JetStreamStore, MemoryLog, MemoryStore, SnapshotPolicy};
