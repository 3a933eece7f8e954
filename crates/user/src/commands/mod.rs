//! Commands on people, one file each.

pub(crate) mod change_password;
pub(crate) mod change_profile;
pub(crate) mod change_role;
pub(crate) mod change_settings;
pub(crate) mod change_status;
pub(crate) mod delete_user;
pub(crate) mod execute_reset;
pub(crate) mod register;
pub(crate) mod request_reset;

/// `ce-source` of this service's events.
pub(crate) const SOURCE: &str = "user";
