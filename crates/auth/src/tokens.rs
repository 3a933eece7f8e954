//! The answer to log-in and refresh: an access token, a refresh token, and who it is.

use chrono::Days;
use doran_contract::{
    ErrorCode, SessionId, Timestamp, UserId,
    session::Tokens,
    user::{Role, User, UserStatus},
};
use doran_platform::{access_token::Signer, http::Refusal};

use crate::{refresh_token::Issued, session::Renewal, state::Service};

impl Service {
    /// A new refresh token's place in the session.
    pub(crate) fn renewal(&self, issued: &Issued) -> Renewal {
        let now = self.platform.clock.now();
        let life = Days::new(u64::from(self.platform.config.session_days));
        Renewal {
            token_hash: issued.hash.clone(),
            at: now.into(),
            expires_at: now.checked_add_days(life).unwrap_or(now).into(),
        }
    }

    /// Refuses people who are suspended or gone.
    pub(crate) async fn admit(&self, user: UserId) -> Result<(), Refusal> {
        let account = self.platform.users.find(user).await;
        match account.map(|account| account.status) {
            Some(UserStatus::Active | UserStatus::Inactive) => Ok(()),
            Some(UserStatus::Suspended) => Err(Refusal::new(
                ErrorCode::AccountInactive,
                "the account is suspended",
            )),
            None => Err(Refusal::new(
                ErrorCode::Unauthenticated,
                "the account is gone",
            )),
        }
    }

    pub(crate) async fn tokens(
        &self,
        user: UserId,
        session: SessionId,
        seen_at: Timestamp,
        refresh_token: String,
    ) -> Result<Tokens, Refusal> {
        let profile = self.platform.profiles.find(user).await?;
        let profile = profile.ok_or_else(|| Refusal::not_found("user"))?;
        let user = User {
            last_conn_time: Some(seen_at),
            ..profile.user.clone()
        };
        let seconds = self.platform.config.access_token_minutes * 60;
        let role = user.role.unwrap_or(Role::User);
        let clock = &self.platform.clock;
        let claims = Signer::claims(
            clock.now(),
            seconds,
            (user.id, session, role),
            clock.new_id(),
        );
        let signed = self.signing_key.current().sign(&claims);
        Ok(Tokens {
            access_token: signed.map_err(|error| Refusal::internal(&error))?,
            refresh_token,
            token_type: "Bearer".to_owned(),
            expires_in: u64::from(seconds),
            session_id: session,
            user,
        })
    }
}
