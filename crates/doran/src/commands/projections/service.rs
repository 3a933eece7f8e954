//! The services that have read models, as the command line names them.

use doran_platform::{Platform, ReadSide};
use doran_projection::FolderError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ServiceName {
    Auth,
    User,
    Chat,
    Store,
    Batch,
}

impl ServiceName {
    pub(crate) const ALL: [Self; 5] =
        [Self::Auth, Self::User, Self::Chat, Self::Store, Self::Batch];

    /// The schema that its read models live in.
    pub(crate) const fn schema(self) -> &'static str {
        match self {
            Self::Auth => doran_auth::SCHEMA,
            Self::User => doran_user::SCHEMA,
            Self::Chat => doran_chat::SCHEMA,
            Self::Store => doran_store::SCHEMA,
            Self::Batch => doran_batch::SCHEMA,
        }
    }

    pub(crate) fn schemas() -> [&'static str; 5] {
        Self::ALL.map(Self::schema)
    }

    pub(super) fn read_side(self, platform: &Platform) -> Result<ReadSide, FolderError> {
        match self {
            Self::Auth => doran_auth::read_side(),
            Self::User => doran_user::read_side(platform),
            Self::Chat => doran_chat::read_side(platform),
            Self::Store => doran_store::read_side(),
            Self::Batch => doran_batch::read_side(),
        }
    }
}
