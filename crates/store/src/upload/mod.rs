//! From what a client sends to a file in the store: what is taken, cleaned, counted and sealed.

mod kind;
mod name;
mod picture;
mod pieces;
mod quota;
mod receive;
mod strip;

pub use self::quota::QuotaError;
pub(crate) use self::{
    kind::is_shown,
    pieces::Parsing,
    quota::{Pending, Quota},
    receive::{Received, Upload},
};

/// Files that one request may bring.
pub(crate) const MAX_FILES: usize = 10;
