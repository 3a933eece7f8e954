//! The aggregate `User`: who exists, with which status and role. Knows no plain text.

mod aggregate;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::{Command, EMAIL_CLAIM, Registration, User};
pub use error::Error;
