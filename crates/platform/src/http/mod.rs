//! HTTP as every service speaks it: the envelope, refusals, request bodies, identity, positions.

mod actor;
mod body;
mod command;
mod edge;
mod health;
mod measure;
pub mod openapi;
mod operations;
mod query;
mod refusal;
mod repetition;
mod request_id;
mod serve;
mod shared_body;
mod success;
mod unread;
mod up_to_date;
pub mod valid;

pub use actor::{Actor, Admin, Bearer, RefuseToken};
pub use body::Body;
pub use command::CommandHeaders;
pub use edge::edge;
pub use health::{Health, Probe, Report};
pub use openapi::{Methods, Operation, Routes, delete, get, patch, post, put};
pub use operations::operations;
pub use query::{Id, Limit, Query, unless_empty};
pub use refusal::Refusal;
pub(crate) use repetition::repetition;
pub use request_id::{REQUEST_ID, RequestId, request_id};
pub use serve::{listen, serve};
pub use shared_body::SharedBody;
pub use success::Success;
pub use up_to_date::UpToDate;

/// Position of a command's events in the log, `STREAM:sequence`, comma separated.
pub const POSITION: &str = "doran-position";
/// Position that a query's answer must not be older than.
pub const MIN_POSITION: &str = "doran-min-position";
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Bytes that a JSON body may have at most.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;
