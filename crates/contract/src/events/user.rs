//! What happens to a person's account. Personal data is sealed with the person's own key.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    Sealed, SessionId, UserId,
    user::{PasswordChange, Role, UserStatus},
};

events! {
    /// Stream `USER`, subject `user.<user_id>.<Type>`.
    UserEvent, USER_EVENTS {
        UserCreated = "UserCreated" v 1,
        UserProfileChanged = "UserProfileChanged" v 1,
        UserEmailChanged = "UserEmailChanged" v 1,
        UserSettingsChanged = "UserSettingsChanged" v 1,
        UserStatusChanged = "UserStatusChanged" v 1,
        UserRoleChanged = "UserRoleChanged" v 1,
        PasswordChanged = "PasswordChanged" v 1,
        UserDeleted = "UserDeleted" v 1,
        UserErased = "UserErased" v 1,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserCreated {
    pub user_id: UserId,
    /// HMAC of the normalised address in hex: equal addresses have equal keys.
    pub email_key: String,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    pub name: Sealed,
    pub picture: Option<Sealed>,
    pub info: Option<Sealed>,
    pub role: Role,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserStatusChanged {
    pub user_id: UserId,
    pub from: UserStatus,
    pub to: UserStatus,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserRoleChanged {
    pub user_id: UserId,
    pub from: Role,
    pub to: Role,
}

/// Somebody says other things about themselves. It holds everything personal anew, so that one
/// event is enough to know the person by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserProfileChanged {
    pub user_id: UserId,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    pub name: Sealed,
    pub picture: Option<Sealed>,
    pub info: Option<Sealed>,
}

/// Somebody has another address, and perhaps says other things about themselves with it. It holds
/// everything personal anew; the claims on both addresses move in the same batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserEmailChanged {
    pub user_id: UserId,
    /// As in `UserCreated`.
    pub email_key: String,
    pub previous_email_key: String,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    pub name: Sealed,
    pub picture: Option<Sealed>,
    pub info: Option<Sealed>,
}

/// The person's settings as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserSettingsChanged {
    pub user_id: UserId,
    /// The text of a JSON object.
    pub settings: Sealed,
    /// The setting `coachCheck`, which is shown beside the person: false where it is not set.
    pub coach_check: bool,
}

/// There is another password. Neither it nor its hash is here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PasswordChanged {
    pub user_id: UserId,
    pub reason: PasswordChange,
    /// The one session that goes on; every other one of the person ends.
    pub kept_session_id: Option<SessionId>,
}

/// The account is gone: nobody sees it, nothing is done in its name, its address is free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserDeleted {
    pub user_id: UserId,
    /// The address that becomes free.
    pub email_key: String,
}

/// The person's key and credential are destroyed: nothing sealed opens any more. The last event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserErased {
    pub user_id: UserId,
}
