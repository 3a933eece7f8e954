//! Collecting what nobody wants: uploads that no message has after a day, and what uploads left
//! behind that broke off.
//!
//! Every instance does it, and none waits for another: what is collected follows from the log, and
//! the same command of two instances is one.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use doran_contract::{
    BlobId, FileId, UserId,
    id::command_id,
    subject::{MESSAGE_STREAM, STORE_STREAM},
};
use doran_eventstore::{CommandContext, ExecuteError};
use doran_platform::http::Refusal;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::{
    blobs::Parts,
    commands::SOURCE,
    file::{self, Command},
    state::Service,
    upload::Pending,
};

/// How long an upload may wait for a message; chat takes it along an hour less.
const UNPOSTED_FOR: TimeDelta = TimeDelta::hours(24);
/// An upload that is noted for so long has broken off: none takes half an hour.
const UNFINISHED_FOR: TimeDelta = TimeDelta::hours(1);
/// Files that one look collects at most.
const BATCH: i64 = 500;
const ACTOR: &str = "collect-uploads";

const UNPOSTED: &str = "
    select f.id
    from files f
    where f.stored_at < $1
        and not exists (select from postings p where p.file_id = f.id)
    order by f.stored_at, f.id
    limit $2";

/// Looks again and again until the process stops.
pub(crate) fn start(service: &Service) {
    let every = Duration::from_secs(service.platform.config.files.collect_seconds);
    let service = service.clone();
    let (lifecycle, stopping) = (
        service.platform.lifecycle.clone(),
        service.platform.lifecycle.stopping().clone(),
    );
    lifecycle.spawn(async move {
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            let collecting = stopping.run_until_cancelled(collect(&service));
            if let Some(Err(refusal)) = collecting.await {
                tracing::warn!(error = %refusal, "uploads are collected later");
            }
        }
    });
}

async fn collect(service: &Service) -> Result<(), Refusal> {
    let now = service.platform.clock.now();
    service.catch_up("files", STORE_STREAM).await?;
    service.catch_up("messages", MESSAGE_STREAM).await?;
    let files: Vec<Uuid> = sqlx::query_scalar(UNPOSTED)
        .bind(now - UNPOSTED_FOR)
        .bind(BATCH)
        .fetch_all(&service.pool)
        .await?;
    for file in files {
        remove(service, FileId::new(file), now).await?;
    }
    for (user, pending) in service.quota.under_way().await? {
        if now - pending.since.as_datetime() > UNFINISHED_FOR {
            clear(service, user, &pending).await?;
        }
    }
    Ok(())
}

async fn remove(service: &Service, file: FileId, now: DateTime<Utc>) -> Result<(), Refusal> {
    let id = file.to_string();
    let ctx = CommandContext {
        command_id: command_id(ACTOR, "remove", &id),
        time: now,
        actor: Some(ACTOR.to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: SOURCE,
    };
    match service.files.execute(&(), &id, Command::Remove, &ctx).await {
        Ok(_) => {
            metrics::counter!("store_uploads_collected_total").increment(1);
            Ok(())
        }
        // The uploader or another instance was faster.
        Err(ExecuteError::Refused(file::Error::NotFound)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes what of the upload belongs to no file.
async fn clear(service: &Service, user: UserId, pending: &Pending) -> Result<(), Refusal> {
    let blobs: Vec<Uuid> = pending.blobs().map(BlobId::as_uuid).collect();
    service.catch_up("files", STORE_STREAM).await?;
    let kept: Vec<Uuid> = sqlx::query_scalar("select blob_id from files where blob_id = any($1)")
        .bind(&blobs)
        .fetch_all(&service.pool)
        .await?;
    for blob in blobs.into_iter().filter(|blob| !kept.contains(blob)) {
        let parts = Parts::of(&service.blobs, BlobId::new(blob));
        parts.delete(pending.bytes).await?;
    }
    Ok(service.quota.release(user, pending.id).await?)
}
