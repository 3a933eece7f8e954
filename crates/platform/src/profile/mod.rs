//! People as the log knows them: personal data, how it is sealed, and a cache of it opened.
//!
//! Needs no PostgreSQL, so log-in, `me` and the gateway work without it.

mod facts;
mod personal_data;
mod profiles;

pub use facts::Facts;
pub use personal_data::{Name, PersonalData, SealedName, SealedPersonalData};
pub use profiles::{Profile, ProfileError, Profiles};
