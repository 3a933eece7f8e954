//! Log-in throttling: after failures in a row an account, or an address, waits before the next try.
//!
//! Every auth process counts in the same bucket, so nothing here needs Redis or PostgreSQL.

mod address;
mod attempts;
mod bucket;

pub(crate) use self::{
    address::Address,
    bucket::{Throttle, ThrottleError},
};
