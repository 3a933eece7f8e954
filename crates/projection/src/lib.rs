//! Read models fed by an event log: folders of set-based SQL, and folds in memory.
//!
//! It runs them: order, batches, the position in the same transaction, one leader at a time,
//! waiting for a position, parking what cannot be applied, halting when the log is another one.
//! It knows nothing of what the events mean.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//!
//! use doran_eventstore::{Position, Schema};
//! use doran_projection::{Clock, ReadModel, Service, Tasks};
//!
//! # async fn example(
//! #     pool: sqlx::PgPool,
//! #     js: async_nats::jetstream::Context,
//! #     clock: Clock,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let toml = r#"
//!     stream = "ORDER"
//!     filters = ["order.*.*"]
//!     version = 1
//!     tables = ["orders"]
//! "#;
//! let placed = r#"
//!     insert into orders (order_id, amount, placed_at)
//!     select e."orderId", e.amount, e.time
//!     from jsonb_to_recordset($1) as e("orderId" text, amount bigint, time timestamptz)
//!     on conflict (order_id) do nothing
//! "#;
//! let orders = ReadModel::try_new(
//!     "orders",
//!     [("projection.toml", toml), ("OrderPlaced.sql", placed)],
//! )?;
//! let events = Schema {
//!     types: &[("OrderPlaced", 1)],
//!     upcasters: &[],
//! };
//! let service = Service::builder("shop", pool, js, clock)
//!     .read_models([orders])
//!     .events(events)
//!     .build()?;
//!
//! let tasks = Tasks::default();
//! service.run(&tasks);
//! let seen_by_the_client = [Position::new("ORDER", 1051)];
//! service
//!     .positions()
//!     .wait(&seen_by_the_client, Duration::from_secs(2))
//!     .await?;
//! // The table holds the order now.
//!
//! tasks.cancel.cancel();
//! tasks.tracker.close();
//! tasks.tracker.wait().await;
//! # Ok(())
//! # }
//! ```

mod check;
mod checkpoint;
mod enrich;
mod halted;
mod log;
pub mod memory;
mod monitor;
mod notice;
mod parked;
pub mod policy;
mod positions;
mod read_model;
pub mod rebuild;
mod row;
mod runner;
mod service;
mod status;
pub mod tables;
mod tasks;
mod tracker;

pub use check::CheckError;
pub use enrich::{Enrich, EnrichError};
pub use parked::{ParkedAggregate, Retried, RetryError};
pub use positions::{Positions, WaitError};
pub use read_model::{FolderError, ReadModel};
pub use service::{Clock, Service, ServiceBuilder, SetupError};
pub use status::{Activity, Failing, Halt, Status};
pub use tasks::Tasks;
