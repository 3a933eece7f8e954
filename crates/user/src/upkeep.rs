//! What the job `inactive-users` asks for: people who stay away rest, are told, and are deleted.
//!
//! Whether somebody is away is the job's to know; that an account is one for the step is decided
//! here, so that nobody who is suspended, reinstated or an administrator is touched.

use std::sync::Arc;

use doran_contract::{
    ErrorCode, UserId,
    upkeep::{InactivityStep, TEND_INACTIVE_USER, TendInactiveUser, Tended},
    user::{Role, UserStatus},
};
use doran_eventstore::{CommandContext, ExecuteError};
use doran_platform::{
    http::Refusal,
    mail::{Mail, MailError},
    remote,
};

use crate::{
    commands::SOURCE,
    state::Service,
    user::{Command, Error},
};

/// `doran-actor` of what follows.
const ACTOR: &str = "inactive-users";

/// Answers it until the process stops.
pub(crate) async fn offer(service: &Service) -> Result<(), async_nats::Error> {
    let tending = Arc::new(service.clone());
    let execute = move |command| tend(Arc::clone(&tending), command);
    remote::offer(&service.platform, SOURCE, TEND_INACTIVE_USER, execute).await
}

async fn tend(service: Arc<Service>, command: TendInactiveUser) -> Result<Tended, Refusal> {
    let user = command.user_id;
    let changed = match command.step {
        InactivityStep::Rest => execute(&service, user, Command::Rest).await?,
        InactivityStep::Delete => execute(&service, user, Command::DeleteInactive).await?,
        InactivityStep::Notify => notify(&service, user).await?,
    };
    Ok(Tended { changed })
}

async fn execute(service: &Service, user: UserId, command: Command) -> Result<bool, Refusal> {
    let ctx = CommandContext {
        command_id: service.platform.clock.new_id(),
        time: service.platform.clock.now(),
        actor: Some(ACTOR.to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: SOURCE,
    };
    let id = user.to_string();
    match service.users.execute(&(), &id, command, &ctx).await {
        Ok(outcome) => Ok(!outcome.events.is_empty()),
        Err(ExecuteError::Refused(Error::NotFound)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn notify(service: &Service, user: UserId) -> Result<bool, Refusal> {
    let account = service.platform.users.find(user).await;
    let is_for_it = |status, role| status == UserStatus::Inactive && role != Role::Admin;
    if !account.is_some_and(|account| is_for_it(account.status, account.role)) {
        return Ok(false);
    }
    let profile = service.platform.profiles.find(user).await?;
    let email = profile
        .as_ref()
        .and_then(|profile| profile.user.email.as_deref());
    let Some(email) = email else {
        return Ok(false);
    };
    let mail = Mail {
        to: email,
        subject: "Your DoranDoran account",
        text: text(&service.platform.config.public_url),
    };
    service
        .mailer
        .send(mail)
        .await
        .map_err(|error| refuse(&error))?;
    Ok(true)
}

fn refuse(error: &MailError) -> Refusal {
    match error {
        MailError::Recipient => Refusal::new(ErrorCode::ValidationFailed, error.to_string()),
        MailError::NotConfigured
        | MailError::Url(_)
        | MailError::From(_)
        | MailError::Smtp(_)
        | MailError::Folder(_) => Refusal::unavailable("the mail server", error),
    }
}

fn text(public_url: &str) -> String {
    format!(
        "You have not used your DoranDoran account for about a year.\r\n\
         A year from now it will be deleted, and what you wrote can then be read by nobody.\r\n\
         \r\n\
         To keep it, log in:\r\n\
         {public_url}\r\n\
         \r\n\
         1년 동안 접속하지 않으셨습니다. 계정을 유지하시려면 로그인해 주세요.\r\n"
    )
}
