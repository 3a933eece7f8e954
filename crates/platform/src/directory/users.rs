//! Accounts: who exists, with which status and role.

use std::{collections::HashMap, sync::Arc};

use doran_contract::{
    UserId,
    events::{USER_EVENTS, UserEvent},
    subject::USER_STREAM,
    user::{Role, UserStatus},
};
use doran_eventstore::{Logs, Recorded};
use doran_projection::memory::{Fold, FoldError, MemoryModel, Start, StartError};
use tokio::sync::broadcast;

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

/// How far the end of an account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nobody sees the person any more; what was sealed for them still opens.
    Deleted,
    /// Nothing of them opens any more.
    Erased,
}

#[derive(Debug, Default)]
struct Accounts {
    standing: HashMap<UserId, Account>,
    ended: HashMap<UserId, Ending>,
}

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
                self.standing.insert(created.user_id, account);
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
            UserEvent::UserProfileChanged(changed) => {
                self.update(changed.user_id, event.sequence, |_| ());
            }
            UserEvent::UserEmailChanged(changed) => {
                self.update(changed.user_id, event.sequence, |_| ());
            }
            UserEvent::UserSettingsChanged(changed) => {
                self.update(changed.user_id, event.sequence, |_| ());
            }
            UserEvent::PasswordChanged(changed) => {
                self.update(changed.user_id, event.sequence, |_| ());
            }
            UserEvent::UserDeleted(deleted) => self.end(deleted.user_id, Ending::Deleted),
            UserEvent::UserErased(erased) => self.end(erased.user_id, Ending::Erased),
        }
        Ok(())
    }
}

impl Accounts {
    fn update(&mut self, user: UserId, sequence: u64, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.standing.get_mut(&user) {
            change(account);
            account.last_sequence = sequence;
        }
    }

    fn end(&mut self, user: UserId, ending: Ending) {
        self.standing.remove(&user);
        self.ended.insert(user, ending);
    }
}

/// All accounts, kept fresh by the log. Cheap to clone.
#[derive(Clone)]
pub struct Users(MemoryModel<Accounts>);

impl Users {
    pub async fn start(logs: &Logs, lifecycle: &Lifecycle) -> Result<Self, StartError> {
        MemoryModel::start(
            logs.clone(),
            USER_STREAM,
            &["user.*.*"],
            Start::First,
            Accounts::default(),
            lifecycle.into(),
        )
        .await
        .map(Self)
    }

    /// The account, also if it was made a moment ago by another process. Deleted ones are none.
    pub async fn find(&self, user: UserId) -> Option<Account> {
        if let Some(account) = self.get(user) {
            return Some(account);
        }
        if self.ending(user).is_some() {
            return None;
        }
        if let Err(error) = self.0.catch_up(&format!("user.{user}.*"), PATIENCE).await {
            tracing::warn!(%error, "cannot ask the log about an unknown account");
        }
        self.get(user)
    }

    /// The account as far as this process has read the log. Deleted ones are none.
    pub fn get(&self, user: UserId) -> Option<Account> {
        self.0
            .read(|accounts| accounts.standing.get(&user).copied())
    }

    /// How far the end of somebody's account has come; none if it stands or never was.
    pub fn ending(&self, user: UserId) -> Option<Ending> {
        self.0.read(|accounts| accounts.ended.get(&user).copied())
    }

    /// Everybody whose account has ended.
    pub fn ended(&self) -> Vec<(UserId, Ending)> {
        let all =
            |accounts: &Accounts| accounts.ended.iter().map(|(id, end)| (*id, *end)).collect();
        self.0.read(all)
    }

    /// Every event from now on, each after it has been taken in.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Recorded>> {
        self.0.subscribe()
    }

    pub fn model(&self) -> &MemoryModel<impl Fold + use<>> {
        &self.0
    }
}
