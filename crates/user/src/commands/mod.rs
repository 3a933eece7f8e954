//! Commands on people, one file each.

pub(crate) mod change_role;
pub(crate) mod change_status;
pub(crate) mod register;

/// `ce-source` of this service's events.
pub(crate) const SOURCE: &str = "user";
