//! What the job `token-cleanup` asks for: sessions that ended long ago are forgotten.
//!
//! Tickets, reset tokens and counts of failed log-ins need none of it: their buckets forget by age.

use std::sync::Arc;

use doran_contract::{
    SessionId,
    upkeep::{FORGET_SESSIONS, ForgetSessions, Forgotten},
};
use doran_eventstore::{CommandContext, ExecuteError};
use doran_platform::{http::Refusal, remote};
use sqlx::types::Uuid;

use crate::{
    commands::SOURCE,
    session::{Command, Error},
    state::Service,
};

/// Sessions of one answer.
const PAGE: i64 = 200;

const ENDED: &str = "
    select id
    from sessions
    where coalesce(revoked_at, expires_at) < $1
        and ($2::uuid is null or id > $2)
    order by id
    limit $3";

/// Answers it until the process stops.
pub(crate) async fn offer(service: Arc<Service>) -> Result<(), async_nats::Error> {
    let platform = service.platform.clone();
    let execute = move |command| forget_all(Arc::clone(&service), command);
    remote::offer(&platform, SOURCE, FORGET_SESSIONS, execute).await
}

async fn forget_all(service: Arc<Service>, command: ForgetSessions) -> Result<Forgotten, Refusal> {
    let ended: Vec<Uuid> = sqlx::query_scalar(ENDED)
        .bind(command.ended_before.as_datetime())
        .bind(command.after.map(SessionId::as_uuid))
        .bind(PAGE)
        .fetch_all(&service.pool)
        .await?;
    let is_full = i64::try_from(ended.len()).is_ok_and(|found| found == PAGE);
    let next = ended.last().filter(|_| is_full).copied();
    let mut sessions = 0;
    for id in ended {
        if command.dry_run || forget(&service, &command, SessionId::new(id)).await? {
            sessions += 1;
        }
    }
    Ok(Forgotten {
        sessions,
        next: next.map(SessionId::new),
    })
}

/// False for one that is in use again, or that the log has forgotten by itself.
async fn forget(
    service: &Service,
    command: &ForgetSessions,
    session: SessionId,
) -> Result<bool, Refusal> {
    let ctx = CommandContext {
        command_id: Uuid::new_v5(&session.as_uuid(), b"forget"),
        time: service.platform.clock.now(),
        actor: Some("token-cleanup".to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: SOURCE,
    };
    let forget = Command::Forget {
        session_id: session,
        ended_before: command.ended_before,
    };
    let id = session.to_string();
    match service.sessions.execute(&(), &id, forget, &ctx).await {
        Ok(outcome) => Ok(!outcome.events.is_empty()),
        Err(ExecuteError::Refused(Error::NotFound)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
