//! The aggregate `Bookmarks`: which messages one person keeps. Knows no text.

mod aggregate;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::{Bookmarks, Command};
pub(crate) use error::Error;
