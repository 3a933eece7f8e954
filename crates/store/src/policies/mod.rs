//! What follows from events by itself.

mod delete_bytes;
mod let_belongings_go;

pub use delete_bytes::DELETE_BYTES;
pub(crate) use delete_bytes::DeleteBytes;
pub use let_belongings_go::LET_BELONGINGS_GO;
pub(crate) use let_belongings_go::LetBelongingsGo;
