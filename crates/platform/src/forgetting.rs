//! Forgets deleted people: their keys and opened profiles leave this process's memory as soon as
//! the log says that they are gone. What lies on disk is the user service's to erase.

use doran_contract::{UserId, subject::Subject};
use tokio::sync::broadcast::error::RecvError;

use crate::{Lifecycle, directory::Users, keyring::Keyring, profile::Profiles};

/// Forgets those who are gone already, and everybody who goes until the process stops.
pub(crate) async fn start(
    users: &Users,
    keyring: &Keyring,
    profiles: &Profiles,
    lifecycle: &Lifecycle,
) {
    let forgetting = Forgetting {
        users: users.clone(),
        keyring: keyring.clone(),
        profiles: profiles.clone(),
    };
    // Subscribed before the first look, so that nobody falls between both.
    let mut changes = users.subscribe();
    forgetting.forget_all().await;
    let stopping = lifecycle.stopping().clone();
    lifecycle.spawn(async move {
        while let Some(change) = stopping.run_until_cancelled(changes.recv()).await {
            match change {
                Ok(recorded) => {
                    if let Some(Subject::User {
                        user,
                        event_type: "UserDeleted",
                    }) = Subject::parse(&recorded.subject)
                    {
                        forgetting.forget(user).await;
                    }
                }
                Err(RecvError::Lagged(_)) => forgetting.forget_all().await,
                Err(RecvError::Closed) => return,
            }
        }
    });
}

struct Forgetting {
    users: Users,
    keyring: Keyring,
    profiles: Profiles,
}

impl Forgetting {
    async fn forget_all(&self) {
        for (user, _) in self.users.ended() {
            self.forget(user).await;
        }
    }

    async fn forget(&self, user: UserId) {
        self.keyring.forget(user).await;
        self.profiles.forget(user).await;
    }
}
