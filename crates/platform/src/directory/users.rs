//! Accounts: who exists, with which status and role.

use std::collections::HashMap;

use async_nats::jetstream;
use doran_contract::{
    UserId,
    events::{USER_EVENTS, UserEvent},
    subject::USER_STREAM,
    user::{Role, UserStatus},
};
use doran_eventstore::Recorded;
use doran_projection::memory::{Fold, FoldError, MemoryModel, Start, StartError};

use crate::{Lifecycle, event_schema};

/// How long a question about an unknown person may wait for the log.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// One person as authorisation needs to know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub status: UserStatus,
    pub role: Role,
    /// Sequences of the person's first and newest event in `USER`.
    pub first_sequence: u64,
    pub last_sequence: u64,
}

#[derive(Debug, Default)]
struct Accounts(HashMap<UserId, Account>);

impl Fold for Accounts {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        match event.decode::<UserEvent>(&event_schema(USER_EVENTS))? {
            UserEvent::UserCreated(created) => {
                let account = Account {
                    status: UserStatus::Active,
                    role: created.role,
                    first_sequence: event.sequence,
                    last_sequence: event.sequence,
                };
                self.0.insert(created.user_id, account);
            }
            UserEvent::UserStatusChanged(changed) => {
                self.update(changed.user_id, event.sequence, |account| {
                    account.status = changed.to;
                });
            }
            UserEvent::UserRoleChanged(changed) => {
                self.update(changed.user_id, event.sequence, |account| {
                    account.role = changed.to;
                });
            }
        }
        Ok(())
    }
}

impl Accounts {
    fn update(&mut self, user: UserId, sequence: u64, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.0.get_mut(&user) {
            change(account);
            account.last_sequence = sequence;
        }
    }
}

/// All accounts, kept fresh by the log. Cheap to clone.
#[derive(Clone)]
pub struct Users(MemoryModel<Accounts>);

impl Users {
    pub async fn start(js: &jetstream::Context, lifecycle: &Lifecycle) -> Result<Self, StartError> {
        MemoryModel::start(
            js.clone(),
            USER_STREAM,
            &["user.*.*"],
            Start::First,
            Accounts::default(),
            lifecycle.into(),
        )
        .await
        .map(Self)
    }

    /// The account, also if it was made a moment ago by another process.
    pub async fn find(&self, user: UserId) -> Option<Account> {
        if let Some(account) = self.get(user) {
            return Some(account);
        }
        if let Err(error) = self.0.catch_up(&format!("user.{user}.*"), PATIENCE).await {
            tracing::warn!(%error, "cannot ask the log about an unknown account");
        }
        self.get(user)
    }

    /// The account as far as this process has read the log.
    pub fn get(&self, user: UserId) -> Option<Account> {
        self.0.read(|accounts| accounts.0.get(&user).copied())
    }

    pub fn model(&self) -> &MemoryModel<impl Fold + use<>> {
        &self.0
    }
}
