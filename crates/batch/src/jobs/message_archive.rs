//! `message-archive`: old messages go into compressed files, are read back and compared, and only
//! then leave the tables, by an event of chat's.
//!
//! A file has the events of a piece of one room's timeline as the log has them, one a line; what
//! is sealed stays sealed in it, and opens for nobody once its author's key is destroyed.

use std::{collections::BTreeMap, io::Write, time::Duration};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::object_store::{InfoErrorKind, ObjectStore};
use chrono::{DateTime, TimeDelta, Utc};
use doran_contract::{
    RoomId,
    subject::{self, MESSAGE_STREAM},
    upkeep::{NOTE_ARCHIVE, NoteArchive, Removed},
};
use doran_eventstore::{LogReader, Recorded};
use doran_platform::remote::ask;
use flate2::{
    Compression,
    write::{GzDecoder, GzEncoder},
};
use futures_util::FutureExt;
use serde_json::{json, value::RawValue};
use sqlx::types::Uuid;
use tokio::io::AsyncReadExt;

use super::Definition;
use crate::{run::Run, state::Service};

pub(crate) const JOB: Definition = Definition {
    name: "message-archive",
    description: "Files messages that are older than a year, and takes them out of the tables",
    schedule: "0 0 4 * * SUN",
    work: |service, run| work(service, run).boxed(),
};

const BUCKET: &str = "ARCHIVE";
/// Events of one file: some tens of megabytes at most while it is made.
const MOST_EVENTS: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// Rooms with messages that are old and not filed: from where on, and up to where.
const OLD: &str = "
    select m.room_id, coalesce(a.through, 0), max(m.seq), count(*)
    from sent_messages m
    left join (
        select room_id, max(through) as through
        from archives
        group by room_id
    ) a on a.room_id = m.room_id
    where m.sent_at < $1
        and m.seq > coalesce(a.through, 0)
        and not exists (select from purged_rooms p where p.room_id = m.room_id)
    group by m.room_id, a.through
    order by m.room_id";

async fn work(service: &Service, run: &Run) -> Result<()> {
    run.catch_up().await?;
    for figure in ["rooms", "messages", "files", "events", "bytes"] {
        run.begin_count(figure);
    }
    let kept = TimeDelta::days(service.platform.config.archive_after_days.into());
    let old: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(OLD)
        .bind(run.as_of() - kept)
        .fetch_all(&service.pool)
        .await?;
    for (room, filed, through, messages) in old {
        let piece = Piece {
            room: RoomId::new(room),
            filed: filed.unsigned_abs(),
            through: through.unsigned_abs(),
        };
        if !run.is_dry {
            let room = piece.room;
            let filed = piece.file(service, run).await;
            filed.with_context(|| format!("filing messages of the room {room}"))?;
        }
        run.count("rooms", 1).await;
        run.count("messages", messages.unsigned_abs()).await;
    }
    Ok(())
}

/// What is to be filed of a room: behind `filed`, up to `through`.
struct Piece {
    room: RoomId,
    filed: u64,
    through: u64,
}

/// A file before it is put away.
struct File {
    name: String,
    through: u64,
    events: u64,
    bytes: Vec<u8>,
}

impl Piece {
    async fn file(mut self, service: &Service, run: &Run) -> Result<()> {
        let store = service.platform.js.get_object_store(BUCKET).await;
        let store = store.context("the bucket of archives")?;
        let log = LogReader::new(service.platform.js.clone(), MESSAGE_STREAM);
        while let Some(file) = self.next(&log).await? {
            put_away(&store, &file).await?;
            let note = NoteArchive {
                room_id: self.room,
                through: file.through,
                archive: file.name,
                events: file.events,
            };
            let noted = ask(&service.platform, NOTE_ARCHIVE, &note, PATIENCE).await;
            let _: Removed = noted.context("asking chat to note the file")?;
            run.count("files", 1).await;
            run.count("events", file.events).await;
            run.count("bytes", file.bytes.len() as u64).await;
            self.filed = file.through;
        }
        Ok(())
    }

    /// The next file; none when all is filed.
    async fn next(&self, log: &LogReader) -> Result<Option<File>> {
        let filter = subject::message(self.room, "*");
        let events = log.read(&filter, self.filed + 1, MOST_EVENTS).await?;
        let wanted = events
            .iter()
            .take_while(|event| event.sequence <= self.through);
        let wanted: Vec<_> = wanted.collect();
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
            return Ok(None);
        };
        let room = self.room;
        Ok(Some(File {
            name: format!("{room}/{}-{}.ndjson.gz", first.sequence, last.sequence),
            through: last.sequence,
            events: wanted.len() as u64,
            bytes: compressed(&wanted)?,
        }))
    }
}

fn compressed(events: &[&Recorded]) -> Result<Vec<u8>> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    for event in events {
        serde_json::to_writer(&mut gz, &line(event)?)?;
        gz.write_all(b"\n")?;
    }
    Ok(gz.finish()?)
}

/// The event as the log has it: its place, its headers, and its body untouched.
fn line(event: &Recorded) -> Result<serde_json::Value> {
    let headers = event.headers.iter();
    let headers = headers.map(|(name, values)| {
        let first = values.first().map(|value| value.as_str().to_owned());
        (name.to_string(), first.unwrap_or_default())
    });
    // In one order, so that the same events are the same file.
    let headers: BTreeMap<String, String> = headers.collect();
    let body: &RawValue = serde_json::from_slice(&event.payload)?;
    Ok(json!({
        "sequence": event.sequence,
        "subject": event.subject,
        "time": as_text(event.time),
        "headers": headers,
        "data": body,
    }))
}

fn as_text(time: DateTime<Utc>) -> String {
    doran_contract::Timestamp::from(time).to_string()
}

/// Puts the file into the bucket unless it is there, reads it back, and compares.
async fn put_away(store: &ObjectStore, file: &File) -> Result<()> {
    match store.info(&file.name).await {
        Ok(_) => {}
        Err(error) if error.kind() == InfoErrorKind::NotFound => {
            let put = store
                .put(file.name.as_str(), &mut file.bytes.as_slice())
                .await;
            put.context("the file cannot be put into the bucket")?;
        }
        Err(error) => return Err(error).context("the bucket does not answer"),
    }
    let mut object = store
        .get(&file.name)
        .await
        .context("the file is not there")?;
    let mut bytes = Vec::new();
    // Ends in an error if the digest is another one.
    object
        .read_to_end(&mut bytes)
        .await
        .context("the file cannot be read back")?;
    let expected = unpacked(&file.bytes)?;
    ensure!(
        unpacked(&bytes)? == expected,
        "{} is not what was put there",
        file.name
    );
    let lines = expected.split(|byte| *byte == b'\n').count() as u64 - 1;
    ensure!(
        lines == file.events,
        "{} has another number of events",
        file.name
    );
    Ok(())
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gz = GzDecoder::new(Vec::new());
    gz.write_all(bytes)?;
    Ok(gz.finish()?)
}
