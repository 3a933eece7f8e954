//! Who is asking. Identity comes from the access token alone.

use std::time::Duration;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header::AUTHORIZATION, request::Parts},
};
use doran_contract::{
    ErrorCode, SessionId, Timestamp, UserId,
    user::{Role, UserStatus},
};
use zeroize::Zeroizing;

use super::{
    Refusal,
    openapi::{Sketch, Takes},
};
use crate::{Platform, access_token::TokenError};

/// After so much silence of the log a suspension may have been missed.
const TRUSTED_FOR: Duration = Duration::from_secs(5);

/// A person with a valid token, a standing session and an account that is not suspended.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    pub user_id: UserId,
    pub session_id: SessionId,
    /// The role as the log has it now, not as the token had it then.
    pub role: Role,
    pub expires_at: Timestamp,
}

/// An [`Actor`] with the role `ROLE_ADMIN`.
#[derive(Clone, Copy, Debug)]
pub struct Admin(pub Actor);

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefuseToken {
    #[error("log in first")]
    Missing,
    #[error("the access token is not valid")]
    Invalid,
    #[error("the access token has expired")]
    Expired,
    #[error("the session has ended")]
    SessionRevoked,
    #[error("the account is suspended or does not exist")]
    AccountEnded,
}

impl From<RefuseToken> for Refusal {
    fn from(refused: RefuseToken) -> Self {
        let code = match refused {
            RefuseToken::Expired => ErrorCode::TokenExpired,
            RefuseToken::Missing
            | RefuseToken::Invalid
            | RefuseToken::SessionRevoked
            | RefuseToken::AccountEnded => ErrorCode::Unauthenticated,
        };
        Self::new(code, refused.to_string())
    }
}

impl From<TokenError> for RefuseToken {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::Invalid,
            TokenError::Expired => Self::Expired,
        }
    }
}

impl Actor {
    /// Reads a token and checks it against what the log says of its session and account.
    pub async fn authenticate(platform: &Platform, token: &str) -> Result<Self, RefuseToken> {
        let claims = platform.verifier.verify(token)?;
        let account = platform
            .users
            .find(claims.sub)
            .await
            .ok_or(RefuseToken::AccountEnded)?;
        if account.status == UserStatus::Suspended {
            return Err(RefuseToken::AccountEnded);
        }
        if platform.sessions.revocation(claims.sid).is_some() {
            return Err(RefuseToken::SessionRevoked);
        }
        let expires_at = chrono::DateTime::from_timestamp(claims.exp, 0)
            .ok_or(RefuseToken::Invalid)?
            .into();
        Ok(Self {
            user_id: claims.sub,
            session_id: claims.sid,
            role: account.role,
            expires_at,
        })
    }

    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

impl<S> FromRequestParts<S> for Actor
where
    S: Send + Sync,
    Platform: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let token = bearer(parts).ok_or(RefuseToken::Missing)?;
        let platform = Platform::from_ref(state);
        let actor = Self::authenticate(&platform, token).await?;
        let silence = platform.silence();
        if silence > TRUSTED_FOR {
            tracing::warn!(
                ?silence,
                "the log is silent; nobody is let in on what was known before"
            );
            return Err(Refusal::new(
                ErrorCode::Unavailable,
                "the event log does not answer, try again",
            ));
        }
        Ok(actor)
    }
}

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    Platform: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let actor = Actor::from_request_parts(parts, state).await?;
        if actor.is_admin() {
            Ok(Self(actor))
        } else {
            Err(Refusal::new(
                ErrorCode::Forbidden,
                "only administrators may do this",
            ))
        }
    }
}

impl Takes for Actor {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.needs_token();
    }
}

impl Takes for Admin {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.needs_token();
    }
}

impl Takes for Bearer {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.needs_token();
    }
}

/// The access token itself, unverified; for whoever passes it on.
pub struct Bearer(pub Zeroizing<String>);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let token = bearer(parts).ok_or(RefuseToken::Missing)?;
        Ok(Self(Zeroizing::new(token.to_owned())))
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
