//! `auth` and `reauth`: from a token to a person.

use async_nats::connection::State;
use doran_contract::{
    ErrorCode, UserId,
    frame::{CloseCode, OkAnswer, ServerFrame},
    user::User,
};
use doran_platform::http::{Actor, RefuseToken};

use super::{answer::Denied, link::Login};
use crate::gateway::Gateway;

/// A person with a token that stands.
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) login: Login,
    user: User,
}

impl Person {
    pub(super) fn welcome(&self, id: Option<u64>) -> ServerFrame {
        ServerFrame::Ok {
            id,
            answer: OkAnswer::Authenticated {
                user: self.user.clone(),
                session_id: self.login.session_id,
                expires_at: self.login.expires_at,
            },
        }
    }
}

/// A token was not accepted.
pub(super) struct NotLetIn {
    pub(super) denied: Denied,
    /// How a socket that showed it first ends; none if the same token may do a moment later.
    pub(super) end: Option<CloseCode>,
}

pub(super) async fn authenticate(gateway: &Gateway, token: &str) -> Result<Person, NotLetIn> {
    let platform = &gateway.platform;
    if gateway.contact.silence() > gateway.timing.refuse_after {
        return Err(unavailable());
    }
    let actor = Actor::authenticate(platform, token)
        .await
        .map_err(|refused| {
            let knows_everybody = platform.nats.connection_state() == State::Connected;
            if refused == RefuseToken::AccountEnded && !knows_everybody {
                unavailable()
            } else {
                refuse(refused)
            }
        })?;
    let profile = platform
        .profiles
        .find(actor.user_id)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "the profile of somebody who logs in cannot be read");
            unavailable()
        })?;
    let profile = profile.ok_or_else(|| refuse(RefuseToken::AccountEnded))?;
    Ok(Person {
        id: actor.user_id,
        login: Login {
            session_id: actor.session_id,
            expires_at: actor.expires_at,
            token: token.into(),
            ends_with_socket: false,
        },
        user: profile.user.clone(),
    })
}

fn refuse(refused: RefuseToken) -> NotLetIn {
    let (code, end) = match refused {
        RefuseToken::Missing | RefuseToken::Invalid => {
            (ErrorCode::Unauthenticated, CloseCode::BadCredentials)
        }
        RefuseToken::Expired => (ErrorCode::TokenExpired, CloseCode::TokenExpired),
        RefuseToken::SessionRevoked => (ErrorCode::Unauthenticated, CloseCode::SessionRevoked),
        RefuseToken::AccountEnded => (ErrorCode::Unauthenticated, CloseCode::AccountEnded),
    };
    NotLetIn {
        denied: Denied::new(code, refused.to_string()),
        end: Some(end),
    }
}

fn unavailable() -> NotLetIn {
    NotLetIn {
        denied: Denied::unavailable(),
        end: None,
    }
}
