//! What follows for rooms from what happens elsewhere.

mod call_bots;
mod follow_owner;
mod let_deleted_go;
mod note_erased;

pub use call_bots::CALL_BOTS;
pub(crate) use call_bots::CallBots;
pub use follow_owner::FOLLOW_OWNER;
pub(crate) use follow_owner::FollowOwner;
pub use let_deleted_go::LET_DELETED_GO;
pub(crate) use let_deleted_go::LetDeletedGo;
pub use note_erased::NOTE_ERASED;
pub(crate) use note_erased::NoteErased;
