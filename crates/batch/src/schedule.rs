//! When a job is due: what somebody decided, and the message schedule that makes it so.
//!
//! The decision is the event `JobScheduleChanged`; the message in `SCHEDULE` follows from it, and is
//! compared with it at every start, at every change and once a minute.

use std::str::FromStr;

use async_nats::{
    HeaderMap, header,
    jetstream::{
        context::PublishErrorKind,
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use doran_contract::{Timestamp, subject};
use doran_eventstore::BoxError;
use serde::{Deserialize, Serialize};

use crate::{cron::Cron, jobs::Definition, state::Service};

/// How often the message is looked at again when another process changes it meanwhile.
const TRIES: u32 = 5;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) schedule: String,
    pub(crate) time_zone: String,
    pub(crate) paused: bool,
}

impl Plan {
    /// When the job is due next; never while it is paused.
    pub(crate) fn next_run_at(&self, now: DateTime<Utc>) -> Option<Timestamp> {
        if self.paused {
            return None;
        }
        let cron = Cron::parse(&self.schedule).ok()?;
        let zone = Tz::from_str(&self.time_zone).ok()?;
        let next = cron.next(&now.with_timezone(&zone))?;
        Some(next.to_utc().into())
    }

    fn headers(&self, job: &Definition) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_SCHEDULE, self.schedule.as_str());
        headers.insert(header::NATS_SCHEDULE_TIME_ZONE, self.time_zone.as_str());
        headers.insert(header::NATS_SCHEDULE_TARGET, subject::due(job.name));
        headers
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        let is = |name, value: &str| {
            headers
                .get(name)
                .is_some_and(|found| found.as_str() == value)
        };
        is(header::NATS_SCHEDULE, &self.schedule)
            && is(header::NATS_SCHEDULE_TIME_ZONE, &self.time_zone)
    }
}

/// Lets the server fire the job as its plan says, whatever it did before.
///
/// The message is read before the plan: so who writes an older plan meets the sequence of a newer
/// message, and looks again.
pub(crate) async fn arrange(service: &Service, job: &Definition) -> Result<(), BoxError> {
    let stream = service
        .platform
        .js
        .get_stream(subject::SCHEDULE_STREAM)
        .await?;
    let place = subject::schedule(job.name);
    for _ in 0..TRIES {
        let standing = standing(&stream, &place).await?;
        let sequence = standing.as_ref().map_or(0, |(sequence, _)| *sequence);
        let plan = service.plan(job).await?;
        match standing {
            Some((sequence, _)) if plan.paused => {
                // Not what somebody put there since.
                stream.purge().sequence(sequence + 1).filter(place).await?;
                return Ok(());
            }
            None if plan.paused => return Ok(()),
            Some((_, headers)) if plan.is_in(&headers) => return Ok(()),
            Some(_) | None => {}
        }
        let mut headers = plan.headers(job);
        headers.insert(
            header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
            sequence.to_string(),
        );
        let js = &service.platform.js;
        let sent = js.publish_with_headers(place.clone(), headers, "".into());
        match sent.await?.await {
            Ok(_) => {
                let Plan {
                    schedule,
                    time_zone,
                    ..
                } = plan;
                tracing::info!(job = job.name, schedule, time_zone, "a schedule stands");
                return Ok(());
            }
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err("others keep changing the schedule".into())
}

/// The message that stands, with its sequence; asked of the leader.
async fn standing(stream: &Stream, place: &str) -> Result<Option<(u64, HeaderMap)>, BoxError> {
    match stream.get_last_raw_message_by_subject(place).await {
        Ok(message) => Ok(Some((message.sequence, message.headers))),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
