//! The aggregate `Job`: when it is due, and which of its runs are under way.

mod aggregate;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::{Command, Job, Started, What};
pub(crate) use error::Error;
