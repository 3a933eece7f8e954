//! Read models fed by an event log: folders of set-based SQL, and folds in memory.

mod checkpoint;
mod enrich;
mod log;
pub mod memory;
mod monitor;
mod notice;
mod parked;
mod positions;
mod read_model;
mod row;
mod runner;
mod service;
mod status;
pub mod tables;
mod tasks;
mod tracker;

pub use enrich::{Enrich, EnrichError};
pub use parked::{ParkedAggregate, Retried, RetryError};
pub use positions::{Positions, WaitError};
pub use read_model::{FolderError, ReadModel};
pub use row::{EventMeta, EventRow};
pub use service::{Clock, Service, ServiceBuilder, SetupError};
pub use status::{Activity, Halt, Status};
pub use tasks::Tasks;
