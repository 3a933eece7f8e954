//! What follows from what happens to people by itself.

mod erase_deleted;

pub use erase_deleted::ERASE_DELETED;
pub(crate) use erase_deleted::EraseDeleted;
