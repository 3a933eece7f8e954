//! `daily-report`: what happened on one day, from this service's own tables.

use anyhow::{Context, Result};
use doran_contract::{
    RoomId, UserId,
    job::{BotFigure, Report, RoomFigure},
};
use futures_util::FutureExt;
use sqlx::types::Uuid;

use super::Definition;
use crate::{job::What, run::Run, state::Service};

pub(crate) const JOB: Definition = Definition {
    name: "daily-report",
    description: "Counts what happened on the day: people, messages, rooms and bots",
    schedule: "0 10 0 * * *",
    work: |service, run| work(service, run).boxed(),
};

/// An event takes a megabyte; these take less than half of it.
const MOST_ROOMS: i64 = 5000;
const MOST_BOTS: i64 = 1000;

/// $1 the day, $2 its end.
const TOTALS: &str = "
    select
        (
            select count(*) from people
            where created_at >= $2 - interval '1 day' and created_at < $2
        ),
        (
            select count(*)
            from (
                select user_id from log_ins where day = $1
                union
                select sender_id from sent_messages where day = $1 and sender_type = 'user'
            ) active
        ),
        (select count(*) from sent_messages where day = $1),
        (select count(*) from sent_messages where day = $1 and sender_type = 'bot'),
        (
            select count(*) from rooms
            where created_at >= $2 - interval '1 day' and created_at < $2
        )";

const ROOMS: &str = "
    select room_id, count(*)
    from sent_messages
    where day = $1
    group by room_id
    order by count(*) desc, room_id
    limit $2";

const BOTS: &str = "
    select sender_id, count(*)
    from sent_messages
    where day = $1
        and sender_type = 'bot'
    group by sender_id
    order by count(*) desc, sender_id
    limit $2";

async fn work(service: &Service, run: &Run) -> Result<()> {
    run.catch_up().await?;
    let report = report(service, run).await.context("counting")?;
    for (figure, value) in [
        ("newUsers", report.new_users),
        ("activeUsers", report.active_users),
        ("messages", report.messages),
        ("botMessages", report.bot_messages),
        ("roomsCreated", report.rooms_created),
    ] {
        run.count(figure, value).await;
    }
    if !run.is_dry {
        run.note("report", What::MakeReport(report)).await?;
    }
    Ok(())
}

async fn report(service: &Service, run: &Run) -> Result<Report, sqlx::Error> {
    let day = run.date.as_naive();
    let (new_users, active_users, messages, bot_messages, rooms_created): (
        i64,
        i64,
        i64,
        i64,
        i64,
    ) = sqlx::query_as(TOTALS)
        .bind(day)
        .bind(run.as_of())
        .fetch_one(&service.pool)
        .await?;
    let per = async |sql: &'static str, most: i64| -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
        let rows = sqlx::query_as(sql).bind(day).bind(most);
        rows.fetch_all(&service.pool).await
    };
    let rooms = per(ROOMS, MOST_ROOMS).await?.into_iter();
    let bots = per(BOTS, MOST_BOTS).await?.into_iter();
    Ok(Report {
        date: run.date,
        new_users: new_users.unsigned_abs(),
        active_users: active_users.unsigned_abs(),
        messages: messages.unsigned_abs(),
        bot_messages: bot_messages.unsigned_abs(),
        rooms_created: rooms_created.unsigned_abs(),
        rooms: rooms
            .map(|(room, messages)| RoomFigure {
                room_id: RoomId::new(room),
                messages: messages.unsigned_abs(),
            })
            .collect(),
        bots: bots
            .map(|(bot, messages)| BotFigure {
                bot_id: UserId::new(bot),
                messages: messages.unsigned_abs(),
            })
            .collect(),
    })
}
