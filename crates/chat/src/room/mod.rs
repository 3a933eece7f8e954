//! The aggregate `Room`: what a room is called, who is in it, and who may change that.
//!
//! What is said in it is not part of it.

mod aggregate;
mod command;
mod details;
mod error;
mod follow;
mod let_go;
mod life;
mod membership;
#[cfg(test)]
mod role_tests;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::Room;
pub(crate) use command::{Change, Command, Creation, Invitation};
pub use error::Error;
