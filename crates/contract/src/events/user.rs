//! What happens to a person's account. Personal data is sealed with the person's own key.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    Sealed, UserId,
    user::{Role, UserStatus},
};

events! {
    /// Stream `USER`, subject `user.<user_id>.<Type>`.
    #[expect(clippy::large_enum_variant, reason = "events are moved once, not kept in bulk")]
    UserEvent, USER_EVENTS {
        UserCreated = "UserCreated" v 1,
        UserStatusChanged = "UserStatusChanged" v 1,
        UserRoleChanged = "UserRoleChanged" v 1,
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
