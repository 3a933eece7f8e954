//! The aggregate `Room`: what a room is called, who is in it, and who may change that.
//!
//! What is said in it is not part of it.

mod aggregate;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::{Change, Command, Creation, Room};
pub use error::Error;
