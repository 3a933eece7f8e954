//! The aggregate `Session`: one log-in on one device, kept alive by refresh tokens that each count
//! once. Knows no token, only hashes; the time comes in with the command.

mod aggregate;
mod error;
mod standing;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::{Command, Renewal, Session, Start};
pub(crate) use error::Error;
pub(crate) use standing::StandingSessions;
