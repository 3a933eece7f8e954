//! Personal data, plain and sealed. The only place that knows under which field names it is sealed.

use doran_contract::{
    Sealed,
    events::{UserCreated, UserEmailChanged, UserEvent, UserProfileChanged},
    subject,
    user::User,
};
use uuid::Uuid;

use crate::keyring::{DataKey, Keyring, OpenFieldError, Place};

/// What a person told about themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalData {
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub name: String,
    pub picture: Option<String>,
    pub info: Option<String>,
}

/// The same, sealed with the person's data key into one event.
#[derive(Clone, Debug)]
pub struct SealedPersonalData {
    /// Subject and id of that event. The fields open nowhere else.
    pub subject: String,
    pub event_id: Uuid,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    pub name: Sealed,
    pub picture: Option<Sealed>,
    pub info: Option<Sealed>,
}

/// What others see beside a person: name and picture alone, for read models that hold no more.
#[derive(Clone, Debug)]
pub struct SealedName {
    /// Subject and id of the event that they were sealed into.
    pub subject: String,
    pub event_id: Uuid,
    pub name: Sealed,
    pub picture: Option<Sealed>,
}

/// The same, plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub name: String,
    pub picture: Option<String>,
}

const EMAIL: &str = "email";
const FIRST_NAME: &str = "firstName";
const LAST_NAME: &str = "lastName";
const NAME: &str = "name";
const PICTURE: &str = "picture";
const INFO: &str = "info";

impl PersonalData {
    /// What a user in full holds; none of a deleted one.
    pub fn of(user: &User) -> Option<Self> {
        Some(Self {
            email: user.email.clone()?,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            name: user.name.clone(),
            picture: user.picture.clone(),
            info: user.info.clone(),
        })
    }

    pub fn seal(&self, key: &DataKey, subject: String, event_id: Uuid) -> SealedPersonalData {
        let seal = |field, text: &str| {
            let subject = subject.as_str();
            key.seal(
                Place {
                    subject,
                    event_id,
                    field,
                },
                text,
            )
        };
        SealedPersonalData {
            email: seal(EMAIL, &self.email),
            first_name: seal(FIRST_NAME, &self.first_name),
            last_name: seal(LAST_NAME, &self.last_name),
            name: seal(NAME, &self.name),
            picture: self.picture.as_deref().map(|text| seal(PICTURE, text)),
            info: self.info.as_deref().map(|text| seal(INFO, text)),
            event_id,
            subject,
        }
    }
}

/// The fields have the same names in each event that holds them all.
macro_rules! held_by {
    ($event:expr, $event_id:expr, $event_type:literal) => {
        SealedPersonalData {
            subject: subject::user($event.user_id, $event_type),
            event_id: $event_id,
            email: $event.email,
            first_name: $event.first_name,
            last_name: $event.last_name,
            name: $event.name,
            picture: $event.picture,
            info: $event.info,
        }
    };
}

impl SealedPersonalData {
    /// What the event holds; none of an event that says nothing personal.
    pub fn of(event: UserEvent, event_id: Uuid) -> Option<Self> {
        match event {
            UserEvent::UserCreated(created) => Some(Self::of_created(created, event_id)),
            UserEvent::UserProfileChanged(changed) => {
                Some(Self::of_profile_changed(changed, event_id))
            }
            UserEvent::UserEmailChanged(changed) => Some(Self::of_email_changed(changed, event_id)),
            UserEvent::UserSettingsChanged(_)
            | UserEvent::UserStatusChanged(_)
            | UserEvent::UserRoleChanged(_)
            | UserEvent::PasswordChanged(_)
            | UserEvent::UserDeleted(_)
            | UserEvent::UserErased(_) => None,
        }
    }

    pub fn of_created(event: UserCreated, event_id: Uuid) -> Self {
        held_by!(event, event_id, "UserCreated")
    }

    pub fn of_profile_changed(event: UserProfileChanged, event_id: Uuid) -> Self {
        held_by!(event, event_id, "UserProfileChanged")
    }

    pub fn of_email_changed(event: UserEmailChanged, event_id: Uuid) -> Self {
        held_by!(event, event_id, "UserEmailChanged")
    }

    /// Opens all fields; none if the person's key was destroyed.
    pub async fn open(&self, keyring: &Keyring) -> Result<Option<PersonalData>, OpenFieldError> {
        let Some(key) = keyring.key(self.email.key).await? else {
            return Ok(None);
        };
        let open = |field, sealed: &Sealed| {
            let (subject, event_id) = (self.subject.as_str(), self.event_id);
            key.open(
                Place {
                    subject,
                    event_id,
                    field,
                },
                sealed,
            )
        };
        Ok(Some(PersonalData {
            email: open(EMAIL, &self.email)?,
            first_name: open(FIRST_NAME, &self.first_name)?,
            last_name: open(LAST_NAME, &self.last_name)?,
            name: open(NAME, &self.name)?,
            picture: self
                .picture
                .as_ref()
                .map(|sealed| open(PICTURE, sealed))
                .transpose()?,
            info: self
                .info
                .as_ref()
                .map(|sealed| open(INFO, sealed))
                .transpose()?,
        }))
    }
}

impl SealedName {
    /// Opens both; somebody whose key was destroyed is a deleted user.
    pub async fn open(&self, keyring: &Keyring) -> Result<Name, OpenFieldError> {
        let Some(key) = keyring.key(self.name.key).await? else {
            return Ok(Name::deleted());
        };
        let open = |field, sealed: &Sealed| {
            let (subject, event_id) = (self.subject.as_str(), self.event_id);
            key.open(
                Place {
                    subject,
                    event_id,
                    field,
                },
                sealed,
            )
        };
        let picture = self.picture.as_ref();
        Ok(Name {
            name: open(NAME, &self.name)?,
            picture: picture.map(|sealed| open(PICTURE, sealed)).transpose()?,
        })
    }
}

impl Name {
    /// What is left of somebody whose key was destroyed.
    pub fn deleted() -> Self {
        Self {
            name: "deleted user".to_owned(),
            picture: None,
        }
    }
}
