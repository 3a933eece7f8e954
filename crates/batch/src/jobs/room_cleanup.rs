//! `room-cleanup`: what was said in rooms that were deleted a while ago leaves the tables, by an
//! event of chat's. The log keeps it sealed, until its authors' keys are destroyed.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use doran_contract::{
    RoomId,
    upkeep::{PURGE_ROOM, PurgeRoom, Removed},
};
use doran_platform::remote::ask;
use futures_util::FutureExt;
use sqlx::types::Uuid;

use super::Definition;
use crate::{run::Run, state::Service};

pub(crate) const JOB: Definition = Definition {
    name: "room-cleanup",
    description: "Takes what was said in rooms that were deleted a month ago out of the tables",
    schedule: "0 30 3 * * *",
    work: |service, run| work(service, run).boxed(),
};

const PATIENCE: Duration = Duration::from_secs(10);

const DELETED: &str = "
    select
        r.id,
        (
            select count(*)
            from sent_messages m
            where m.room_id = r.id
                and m.seq > coalesce(
                    (select max(a.through) from archives a where a.room_id = r.id),
                    0
                )
        )
    from rooms r
    where r.deleted_at < $1
        and not exists (select from purged_rooms p where p.room_id = r.id)
    order by r.deleted_at, r.id";

async fn work(service: &Service, run: &Run) -> Result<()> {
    run.catch_up().await?;
    for figure in ["rooms", "messages"] {
        run.begin_count(figure);
    }
    let kept = TimeDelta::days(service.platform.config.purge_rooms_after_days.into());
    let deleted: Vec<(Uuid, i64)> = sqlx::query_as(DELETED)
        .bind(run.as_of() - kept)
        .fetch_all(&service.pool)
        .await?;
    for (room, messages) in deleted {
        let room_id = RoomId::new(room);
        if !run.is_dry {
            let purge = PurgeRoom { room_id };
            let purged = ask(&service.platform, PURGE_ROOM, &purge, PATIENCE).await;
            let _: Removed = purged.with_context(|| format!("purging the room {room_id}"))?;
        }
        run.count("rooms", 1).await;
        run.count("messages", messages.unsigned_abs()).await;
    }
    Ok(())
}
