//! `inactive-users`: who stays away for 90 days rests, after a year is told by mail, and after two
//! is deleted, and with that erased.
//!
//! Whether somebody was here is known for 90 days, which is what the log of sessions holds. What
//! comes later goes by when they came to rest, so that tables that are made anew say the same.
//! Administrators stay, and nobody is deleted who was not told a month before.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use doran_contract::{
    ErrorCode, UserId,
    upkeep::{InactivityStep, TEND_INACTIVE_USER, TendInactiveUser, Tended},
};
use doran_platform::remote::{AskError, ask};
use futures_util::FutureExt;
use sqlx::types::Uuid;

use super::Definition;
use crate::{job::What, run::Run, state::Service};

pub(crate) const JOB: Definition = Definition {
    name: "inactive-users",
    description: "Lets people rest after 90 days, tells them after a year, deletes them after two",
    schedule: "0 0 5 * * *",
    work: |service, run| work(service, run).boxed(),
};

const RESTS_AFTER: TimeDelta = TimeDelta::days(90);
const TOLD_AFTER: TimeDelta = TimeDelta::days(365);
const DELETED_AFTER: TimeDelta = TimeDelta::days(2 * 365);
/// Between the mail and the end.
const NOTICE: TimeDelta = TimeDelta::days(30);
const PATIENCE: Duration = Duration::from_secs(30);

/// $1 since when nobody of them was here.
const AWAY: &str = "
    select p.id
    from people p
    left join last_seen l on l.user_id = p.id
    where p.deleted_at is null
        and p.status = 'ACTIVE'
        and p.role <> 'ROLE_ADMIN'
        and p.status_since < $1
        and coalesce(l.seen_at, '-infinity') < $1
        and not exists (
            select from sent_messages m where m.sender_id = p.id and m.sent_at >= $1
        )
    order by p.id";

/// Who rests, with the time since when they are away at least, and when they were told.
macro_rules! resting {
    () => {
        "
    select r.id
    from (
        select
            p.id,
            greatest(p.status_since - interval '90 days', l.seen_at) as away_since,
            n.sent_at as told_at
        from people p
        left join last_seen l on l.user_id = p.id
        left join notices n on n.user_id = p.id
        where p.deleted_at is null
            and p.status = 'INACTIVE'
            and p.role <> 'ROLE_ADMIN'
    ) r
    where r.away_since < $1
        "
    };
}

const UNTOLD: &str = concat!(
    resting!(),
    "and (r.told_at is null or r.told_at < r.away_since)
    order by r.id"
);

/// $2 before when they must have been told.
const OVER: &str = concat!(
    resting!(),
    "and r.told_at > r.away_since
        and r.told_at < $2
    order by r.id"
);

async fn work(service: &Service, run: &Run) -> Result<()> {
    run.catch_up().await?;
    for figure in ["rested", "notified", "notReached", "deleted"] {
        run.begin_count(figure);
    }
    let now = run.as_of();
    let tend = Tend { service, run };
    tend.rest(now).await.context("letting people rest")?;
    tend.tell(now).await.context("telling people")?;
    tend.delete(now).await.context("deleting people")
}

struct Tend<'a> {
    service: &'a Service,
    run: &'a Run,
}

impl Tend<'_> {
    async fn rest(&self, now: DateTime<Utc>) -> Result<()> {
        let away = sqlx::query_scalar(AWAY).bind(now - RESTS_AFTER);
        for user in away.fetch_all(&self.service.pool).await? {
            if self.take(user, InactivityStep::Rest).await? {
                self.run.count("rested", 1).await;
            }
        }
        Ok(())
    }

    /// The mail goes out before it is noted: who dies between the two is told once more.
    async fn tell(&self, now: DateTime<Utc>) -> Result<()> {
        let untold = sqlx::query_scalar(UNTOLD).bind(now - TOLD_AFTER);
        for user in untold.fetch_all(&self.service.pool).await? {
            match self.take(user, InactivityStep::Notify).await {
                Ok(false) => {}
                Ok(true) => {
                    self.note_told(user).await?;
                    self.run.count("notified", 1).await;
                }
                // An address that takes no mail keeps nobody else from theirs.
                Err(AskError::Refused {
                    code: ErrorCode::Unavailable | ErrorCode::ValidationFailed,
                    message,
                }) => {
                    tracing::warn!(%user, message, "somebody is not told");
                    self.run.count("notReached", 1).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn delete(&self, now: DateTime<Utc>) -> Result<()> {
        let over = sqlx::query_scalar(OVER);
        let over = over.bind(now - DELETED_AFTER).bind(now - NOTICE);
        for user in over.fetch_all(&self.service.pool).await? {
            if self.take(user, InactivityStep::Delete).await? {
                self.run.count("deleted", 1).await;
            }
        }
        Ok(())
    }

    /// What the service that owns the account made of it; a dry run believes that it would.
    async fn take(&self, user: Uuid, step: InactivityStep) -> Result<bool, AskError> {
        if self.run.is_dry {
            return Ok(true);
        }
        let command = TendInactiveUser {
            user_id: UserId::new(user),
            step,
        };
        let platform = &self.service.platform;
        let tended: Tended = ask(platform, TEND_INACTIVE_USER, &command, PATIENCE).await?;
        Ok(tended.changed)
    }

    async fn note_told(&self, user: Uuid) -> Result<()> {
        if self.run.is_dry {
            return Ok(());
        }
        let noted = What::NoteNotice(UserId::new(user));
        self.run.note(&format!("told/{user}"), noted).await?;
        Ok(())
    }
}
