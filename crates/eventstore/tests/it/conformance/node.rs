//! One nats-server. Writers who stand in each other's way send their command again, as callers do.

use std::time::Duration;

use doran_eventstore::{CommandContext, JetStreamStore, LoadError, Loaded, Outcome, Recorded};
use tokio::time::Instant;

use super::{Store, World};
use crate::{
    account::{Account, Command},
    fixture::{ExecuteError, Fixture},
};

/// An election takes up to ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// A caller who sends the identical command until somebody says what became of it.
pub(super) struct Patient(pub(super) JetStreamStore<Account>);

impl World for Fixture {
    type Store = Patient;

    fn store(&self) -> Self::Store {
        Patient(Self::store(self))
    }

    async fn events(&self) -> Vec<Recorded> {
        self.reader().read(">", 1, usize::MAX).await.unwrap()
    }
}

impl Store for Patient {
    async fn execute(
        &self,
        id: &str,
        command: Command,
        ctx: &CommandContext,
    ) -> Result<Outcome<Account>, ExecuteError> {
        let begun = Instant::now();
        loop {
            let executed = self.0.execute(&(), id, command.clone(), ctx).await;
            match executed {
                Err(
                    ExecuteError::Conflict
                    | ExecuteError::Unavailable(_)
                    | ExecuteError::FateUnknown,
                ) if begun.elapsed() < PATIENCE => {}
                answered => return answered,
            }
        }
    }

    async fn load(&self, id: &str) -> Result<Option<Loaded<Account>>, LoadError> {
        let begun = Instant::now();
        loop {
            match self.0.load(id).await {
                Err(LoadError::Unavailable(_)) if begun.elapsed() < PATIENCE => {}
                answered => return answered,
            }
        }
    }
}
