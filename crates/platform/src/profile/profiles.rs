//! Profiles folded from the log and kept opened for as long as nothing changes them.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use doran_contract::{
    UserId,
    events::{USER_EVENTS, UserCreated, UserEvent},
    subject::{USER, USER_STREAM},
    user::{User, UserStatus},
};
use doran_eventstore::{DecodeError, LogReader, ReadError, Recorded};
use moka::future::Cache;
use tokio::time::{Instant, sleep};

use super::{Facts, Name, SealedPersonalData};
use crate::{
    directory::Users,
    event_schema,
    keyring::{Keyring, OpenFieldError},
};

/// Profiles kept in memory; the least used leave first.
const CACHED_PROFILES: u64 = 50_000;
/// Events that are read of one person at most; far more than anybody has.
const MAX_EVENTS: usize = 100_000;
/// What a replica may take to have an acknowledged event.
const CATCH_UP: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(20);

/// A person, and the sequence of the newest event that this says.
#[derive(Clone, Debug)]
pub struct Profile {
    /// In full; see [`User::for_others`]. The log of users does not know `lastConnTime`.
    pub user: User,
    pub sequence: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Open(#[from] OpenFieldError),
    #[error("the log that was asked is at {reached}, the person's newest event is {wanted}")]
    Stale { wanted: u64, reached: u64 },
}

/// Everybody's profile. Cheap to clone.
#[derive(Clone)]
pub struct Profiles {
    log: LogReader,
    users: Users,
    keyring: Keyring,
    cache: Cache<UserId, Arc<Profile>>,
}

impl Profiles {
    pub fn new(js: jetstream::Context, users: Users, keyring: Keyring) -> Self {
        Self {
            log: LogReader::new(js, USER_STREAM),
            users,
            keyring,
            cache: Cache::builder().max_capacity(CACHED_PROFILES).build(),
        }
    }

    /// The profile; none if there is no such person.
    pub async fn find(&self, user: UserId) -> Result<Option<Arc<Profile>>, ProfileError> {
        match self.users.find(user).await {
            Some(account) => self.at(user, account.last_sequence).await,
            None => Ok(None),
        }
    }

    /// How the person looks to others; somebody who is not there is a deleted user.
    pub async fn name(&self, user: UserId) -> Result<Name, ProfileError> {
        let profile = self.find(user).await?;
        Ok(profile.map_or_else(Name::deleted, |profile| Name {
            name: profile.user.name.clone(),
            picture: profile.user.picture.clone(),
        }))
    }

    /// The profile with at least the event at `sequence`, such as one that was just appended.
    pub async fn at(
        &self,
        user: UserId,
        sequence: u64,
    ) -> Result<Option<Arc<Profile>>, ProfileError> {
        let known = self.cache.get(&user).await;
        if let Some(profile) = known.filter(|profile| profile.sequence >= sequence) {
            return Ok(Some(profile));
        }
        let events = self.events(user, sequence).await?;
        let Some(profile) = self.fold(&events).await? else {
            return Ok(None);
        };
        let profile = Arc::new(profile);
        self.cache.insert(user, Arc::clone(&profile)).await;
        if self.users.ending(user).is_some() {
            // Deleted between the reading and the keeping.
            self.forget(user).await;
            return Ok(None);
        }
        Ok(Some(profile))
    }

    /// What happened to the person, with at least the event at `sequence`: of three nodes the one
    /// that is asked may not have yet what another one acknowledged.
    async fn events(&self, user: UserId, sequence: u64) -> Result<Vec<Recorded>, ProfileError> {
        let subjects = format!("{USER}.{user}.*");
        let account = self.users.get(user);
        let from = account.map_or(1, |account| account.first_sequence);
        let deadline = Instant::now() + CATCH_UP;
        loop {
            let events = self.log.read(&subjects, from, MAX_EVENTS).await?;
            let reached = events.last().map_or(0, |event| event.sequence);
            if reached >= sequence {
                return Ok(events);
            }
            if Instant::now() >= deadline {
                return Err(ProfileError::Stale {
                    wanted: sequence,
                    reached,
                });
            }
            sleep(GLANCE).await;
        }
    }

    /// Holds nothing of the person in memory any more.
    pub(crate) async fn forget(&self, user: UserId) {
        self.cache.invalidate(&user).await;
    }

    async fn fold(&self, events: &[Recorded]) -> Result<Option<Profile>, ProfileError> {
        let mut fold = None;
        for event in events {
            fold = Fold::apply(fold, event)?;
        }
        match fold {
            Some(fold) => Ok(Some(fold.open(&self.keyring).await?)),
            None => Ok(None),
        }
    }
}

struct Fold {
    facts: Facts,
    personal: SealedPersonalData,
    sequence: u64,
}

impl Fold {
    fn apply(before: Option<Self>, event: &Recorded) -> Result<Option<Self>, DecodeError> {
        let decoded = match event.decode::<UserEvent>(&event_schema(USER_EVENTS)) {
            // A newer build's event says nothing that this one could show.
            Err(DecodeError::UnknownType { .. }) => return Ok(before),
            decoded => decoded?,
        };
        Ok(match decoded {
            UserEvent::UserCreated(created) => Some(Self::created(created, event)),
            UserEvent::UserStatusChanged(changed) => {
                before.map(|fold| fold.changed(event, |facts| facts.status = changed.to))
            }
            UserEvent::UserRoleChanged(changed) => {
                before.map(|fold| fold.changed(event, |facts| facts.role = changed.to))
            }
            UserEvent::UserProfileChanged(changed) => before.map(|fold| Self {
                personal: SealedPersonalData::of_profile_changed(changed, event.event_id),
                ..fold.changed(event, |_| ())
            }),
            UserEvent::UserEmailChanged(changed) => before.map(|fold| Self {
                personal: SealedPersonalData::of_email_changed(changed, event.event_id),
                ..fold.changed(event, |_| ())
            }),
            UserEvent::UserSettingsChanged(changed) => before
                .map(|fold| fold.changed(event, |facts| facts.coach_check = changed.coach_check)),
            UserEvent::PasswordChanged(_) => before.map(|fold| fold.changed(event, |_| ())),
            UserEvent::UserDeleted(_) | UserEvent::UserErased(_) => None,
        })
    }

    fn created(created: UserCreated, event: &Recorded) -> Self {
        Self {
            facts: Facts {
                id: created.user_id,
                status: UserStatus::Active,
                role: created.role,
                created_at: event.time.into(),
                updated_at: event.time.into(),
                last_conn_time: None,
                coach_check: false,
            },
            personal: SealedPersonalData::of_created(created, event.event_id),
            sequence: event.sequence,
        }
    }

    fn changed(mut self, event: &Recorded, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self.facts.updated_at = event.time.into();
        self.sequence = event.sequence;
        self
    }

    async fn open(self, keyring: &Keyring) -> Result<Profile, OpenFieldError> {
        let personal = self.personal.open(keyring).await?;
        Ok(Profile {
            user: self.facts.with(personal),
            sequence: self.sequence,
        })
    }
}
