//! What follows for rooms from what happens elsewhere.

mod follow_owner;

pub use follow_owner::FOLLOW_OWNER;
pub(crate) use follow_owner::FollowOwner;
