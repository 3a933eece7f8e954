//! What follows for sessions from what happens elsewhere.

mod end_with_account;

pub use end_with_account::END_WITH_ACCOUNT;
pub(crate) use end_with_account::EndWithAccount;
