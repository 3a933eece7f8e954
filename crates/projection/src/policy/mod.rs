//! Policies: what follows from an event by itself, as commands on other aggregates.
//!
//! A policy has a durable consumer of its own and acknowledges after its commands were executed, so
//! a rebuild of read models never fires it again. Every process of a service may run it.
//!
//! Of one aggregate an event is handled after the ones before it, whichever process was given
//! which: the events are read from the log, from the last one that was handled on. What happens
//! between a command and the note that it was executed may happen again, so each command has an id
//! that follows from the event and from what it is aimed at.
//!
//! Metrics: `policy_events_total{policy,outcome}`, `policy_lag_events{policy}`,
//! `policy_parked{policy}`.
//!
//! ```no_run
//! use async_trait::async_trait;
//! use doran_eventstore::Recorded;
//! use doran_projection::{
//!     Tasks,
//!     policy::{Declaration, Failure, Policy, Start, Timing, run},
//! };
//!
//! struct Thank;
//!
//! #[async_trait]
//! impl Policy for Thank {
//!     type Command = String;
//!
//!     fn declaration(&self) -> Declaration {
//!         Declaration {
//!             service: "shop",
//!             name: "thank-for-orders",
//!             version: 1,
//!             stream: "ORDER",
//!             filters: &["order.*.OrderPlaced"],
//!             start: Start::New,
//!         }
//!     }
//!
//!     async fn react(&self, event: &Recorded) -> Result<Vec<String>, Failure> {
//!         Ok(vec![format!("thank for {}", event.subject)])
//!     }
//!
//!     async fn execute(&self, event: &Recorded, command: String) -> Result<(), Failure> {
//!         let id = self.declaration().command_id(event, &command);
//!         // Send it under this id: whoever gets it twice does it once.
//!         # drop(id);
//!         Ok(())
//!     }
//! }
//!
//! # async fn example(js: async_nats::jetstream::Context, clock: doran_projection::Clock) {
//! let thanking = run(Thank, js, clock, Timing::default(), &Tasks::default());
//! let health: Result<(), String> = thanking.health();
//! # drop(health);
//! # }
//! ```

mod consumer;
mod declaration;
mod failure;
mod operate;
mod progress;
mod runner;
mod running;

use async_trait::async_trait;
use doran_eventstore::Recorded;

pub use self::{
    declaration::{Declaration, Start, Timing},
    failure::Failure,
    operate::{OperateError, Report, parked, report, retry},
    progress::Parked,
    runner::run,
    running::Running,
};

/// What follows from events, and how it is done.
#[async_trait]
pub trait Policy: Send + Sync + 'static {
    type Command: Send;

    fn declaration(&self) -> Declaration;

    /// Whether anything can follow from the event. One from which nothing does is acknowledged as it
    /// comes, and costs neither a read nor a write.
    async fn concerns(&self, _event: &Recorded) -> bool {
        true
    }

    /// What follows from the event. The decision itself belongs into a pure function; this
    /// gathers what it needs to know.
    async fn react(&self, event: &Recorded) -> Result<Vec<Self::Command>, Failure>;

    /// Does it, under an id made by [`Declaration::command_id`]. Called again after a crash.
    async fn execute(&self, event: &Recorded, command: Self::Command) -> Result<(), Failure>;
}
