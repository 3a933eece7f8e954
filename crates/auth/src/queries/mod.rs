//! Questions about oneself, one file each.

pub(crate) mod health;
pub(crate) mod jwks;
pub(crate) mod list_sessions;
pub(crate) mod me;
