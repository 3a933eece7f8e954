//! Read models that live in memory: folded from a stream, kept fresh by it, read without a query.
//!
//! They hold what must be answered while the database is away. They write nothing.

mod fold;
mod follow;
mod model;

pub use fold::{Fold, FoldError};
pub use model::{CatchUpError, Late, MemoryModel, Start, StartError, Unhealthy};
