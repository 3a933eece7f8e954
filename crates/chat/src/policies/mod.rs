//! What follows for rooms from what happens elsewhere.

mod follow_owner;
mod let_deleted_go;

pub use follow_owner::FOLLOW_OWNER;
pub(crate) use follow_owner::FollowOwner;
pub use let_deleted_go::LET_DELETED_GO;
pub(crate) use let_deleted_go::LetDeletedGo;
