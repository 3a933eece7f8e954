//! People as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, UserId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    #[default]
    Active,
    Inactive,
    Suspended,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Role {
    #[default]
    #[serde(rename = "ROLE_USER")]
    User,
    #[serde(rename = "ROLE_ADMIN")]
    Admin,
}

/// How there came to be another password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum PasswordChange {
    /// Its owner gave the old one.
    Changed,
    /// By a token that came by mail.
    Reset,
}

/// `user` of contract §2. E-mail, status and role are only in the answers to oneself and to admins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub name: String,
    pub picture: Option<String>,
    pub info: Option<String>,
    pub last_conn_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<UserStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub coach_check: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl User {
    /// The same person as somebody else may see them.
    #[must_use]
    pub fn for_others(self) -> Self {
        Self {
            email: None,
            status: None,
            role: None,
            ..self
        }
    }
}
