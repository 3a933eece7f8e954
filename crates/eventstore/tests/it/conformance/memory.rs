//! The store in memory.

use doran_eventstore::{
    CommandContext, LoadError, Loaded, MemoryLog, MemoryStore, Outcome, Recorded,
};

use super::{Store, World};
use crate::{
    account::{Account, Command},
    fixture::ExecuteError,
};

#[derive(Default)]
pub(super) struct Memory(MemoryLog);

impl World for Memory {
    type Store = MemoryStore<Account>;

    fn store(&self) -> Self::Store {
        MemoryStore::new(self.0.clone())
    }

    async fn events(&self) -> Vec<Recorded> {
        self.0.events("ACCOUNT").await
    }
}

impl Store for MemoryStore<Account> {
    async fn execute(
        &self,
        id: &str,
        command: Command,
        ctx: &CommandContext,
    ) -> Result<Outcome<Account>, ExecuteError> {
        Self::execute(self, &(), id, command, ctx).await
    }

    async fn load(&self, id: &str) -> Result<Option<Loaded<Account>>, LoadError> {
        Self::load(self, id).await
    }
}
