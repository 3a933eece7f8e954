//! The aggregate of a registered bot: what may happen to it, and why not.

mod aggregate;
mod error;

pub(crate) use aggregate::{Bot, Change, Command, Details, Profile};
pub(crate) use error::Error;
