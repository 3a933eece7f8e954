//! The aggregate `File`: that it was stored, and that it was removed. Its bytes are elsewhere.

mod aggregate;
mod error;
mod find;

pub(crate) use aggregate::{Command, File};
pub(crate) use error::Error;
pub(crate) use find::{Found, find};
