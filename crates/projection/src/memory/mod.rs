//! Read models that live in memory: folded from a stream, kept fresh by it, read without a query.
//!
//! They hold what must be answered while the database is away. They write nothing.
//!
//! ```no_run
//! use std::{collections::HashSet, time::Duration};
//!
//! use doran_eventstore::Recorded;
//! use doran_projection::{
//!     Tasks,
//!     memory::{Fold, FoldError, MemoryModel, Start},
//! };
//!
//! #[derive(Default)]
//! struct OpenOrders(HashSet<String>);
//!
//! impl Fold for OpenOrders {
//!     fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
//!         let order = event.subject.split('.').nth(1).unwrap_or_default().to_owned();
//!         match event.event_type.as_str() {
//!             "OrderPlaced" => self.0.insert(order),
//!             _ => self.0.remove(&order),
//!         };
//!         Ok(())
//!     }
//! }
//!
//! # async fn example(js: async_nats::jetstream::Context) -> Result<(), Box<dyn std::error::Error>> {
//! let orders = MemoryModel::start(
//!     js,
//!     "ORDER",
//!     &["order.*.*"],
//!     Start::First,
//!     OpenOrders::default(),
//!     Tasks::default(),
//! )
//! .await?;
//! orders.catch_up("order.17.*", Duration::from_secs(1)).await?;
//! let is_open = orders.read(|open| open.0.contains("17"));
//! # let _ = is_open;
//! # Ok(())
//! # }
//! ```

mod fold;
mod follow;
mod model;

pub use fold::{Fold, FoldError};
pub use model::{CatchUpError, Late, MemoryModel, Start, StartError, Unhealthy};
