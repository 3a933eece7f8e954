//! What authorisation is decided on: state folded from the log and held in memory.
//!
//! Each follows one stream in order. PostgreSQL is not asked, so it is off the write path.

mod rooms;
mod sessions;
mod users;

pub use rooms::{Membership, RoomEntry, Rooms};
pub use sessions::Sessions;
pub use users::{Account, Ending, Users};
