//! What operators do to people from the command line, without a token.

use doran_contract::{
    Page,
    subject::USER_STREAM,
    user::{Role, User as Profile, UserStatus},
};
use doran_eventstore::{CommandContext, ExecuteError, JetStreamStore, LogReader, ReadError};
use doran_platform::{
    Platform,
    database::{self, DatabaseError},
    http::Refusal,
    profile::ProfileError,
};

use crate::{
    SCHEMA,
    queries::{
        find::{Slice, Term, find},
        person::Filter,
    },
    user::{Command, EMAIL_CLAIM, Error, User},
};

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("nobody has this e-mail address")]
    UnknownEmail,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Execute(#[from] ExecuteError<Error>),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    List(#[from] Refusal),
}

/// What became of a command.
#[derive(Clone, Debug)]
pub struct Changed {
    pub user: Profile,
    /// False if the user was so already.
    pub is_new: bool,
}

/// Makes the person with this address an administrator.
pub async fn promote(platform: &Platform, email: &str) -> Result<Changed, AdminError> {
    execute(platform, email, Command::ChangeRole(Role::Admin)).await
}

/// Locks the person with this address out.
pub async fn suspend(platform: &Platform, email: &str) -> Result<Changed, AdminError> {
    execute(
        platform,
        email,
        Command::ChangeStatus(UserStatus::Suspended),
    )
    .await
}

/// Up to `limit` people, newest first; `cursor` is the one of the page before.
pub async fn list(
    platform: &Platform,
    cursor: Option<i64>,
    limit: u32,
) -> Result<Page<Profile>, AdminError> {
    let pool = database::pool(&platform.config, SCHEMA)?;
    let slice = Slice {
        before: cursor,
        limit: i64::from(limit),
    };
    Ok(find(
        &pool,
        &platform.keyring,
        &Filter::default(),
        &Term::Any,
        slice,
    )
    .await?)
}

async fn execute(
    platform: &Platform,
    email: &str,
    command: Command,
) -> Result<Changed, AdminError> {
    let log = LogReader::new(platform.js.clone(), USER_STREAM);
    let email_key = platform.blinder.email_key(email);
    let owner = log.claim_owner(EMAIL_CLAIM, &email_key).await?;
    let owner = owner.ok_or(AdminError::UnknownEmail)?;
    let ctx = CommandContext {
        command_id: platform.clock.new_id(),
        time: platform.clock.now(),
        actor: Some("operator".to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: "doran users",
    };
    let users = JetStreamStore::<User>::new(platform.js.clone());
    let outcome = users.execute(&(), &owner, command, &ctx).await?;
    let id = owner
        .parse()
        .map_err(|_not_an_id| AdminError::UnknownEmail)?;
    let profile = platform.profiles.at(id, outcome.sequence).await?;
    let profile = profile.ok_or(AdminError::UnknownEmail)?;
    Ok(Changed {
        user: profile.user.clone(),
        is_new: !outcome.events.is_empty(),
    })
}
