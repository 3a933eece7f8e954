//! `doran events verify`: whether the log is whole, and every event can be read.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use doran_contract::{
    events::{
        BOOKMARK_EVENTS, BOT_EVENTS, BookmarkEvent, BotEvent, FILE_EVENTS, FileEvent, JOB_EVENTS,
        JobEvent, MESSAGE_EVENTS, MessageEvent, ROOM_EVENTS, RoomEvent, SESSION_EVENTS,
        SessionEvent, USER_EVENTS, UserEvent,
    },
    subject::{
        BOOKMARK, BOT_STREAM, JOB_STREAM, MESSAGE_STREAM, ROOM_STREAM, SESSION_STREAM,
        STORE_STREAM, Subject, USER_STREAM,
    },
};
use doran_eventstore::{DecodeError, Recorded, envelope};
use doran_platform::{event_schema, streams};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{Options, log::Log};
use crate::{exit::dependency, output, progress::Progress};

const PAGE: usize = 500;
/// Findings that are shown of one stream; all are counted.
const SHOWN: usize = 20;
/// What the claims of a stream begin with; they are no events.
const CLAIM: &str = "claim.";
/// A lane follows its stream; after a restart it begins to within about ten seconds.
const LANE_PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(200);
/// What no event comes without.
const ENVELOPE: [&str; 4] = [
    envelope::EVENT_ID,
    envelope::EVENT_TYPE,
    envelope::VERSION,
    envelope::TIME,
];
/// Only this stream forgets by age.
const FORGETFUL: &str = SESSION_STREAM;

/// Read whole streams and say what is missing, misplaced or unreadable in them
///
/// Looks for gaps, events without their envelope, names and versions that this build does not
/// know, bodies that are not what their type says, and events that a lane does not have.
/// With --open every sealed field is opened, too. Ends with code 1 if there is anything to find.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran events verify\n  doran events verify MESSAGE --open")]
pub(crate) struct Verify {
    /// `USER`, `CHATROOM`, `MESSAGE` or `SESSION`; all of them unless given
    #[arg(value_parser = [USER_STREAM, ROOM_STREAM, MESSAGE_STREAM, SESSION_STREAM, STORE_STREAM, JOB_STREAM, BOT_STREAM])]
    stream: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

/// What was found in one stream.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    stream: String,
    events: u64,
    /// Up to which sequence it was read.
    head: u64,
    wrong: u64,
    /// The first of them.
    findings: Vec<String>,
    /// The last sequence that was there.
    #[serde(skip)]
    last: u64,
    #[serde(skip)]
    types: BTreeMap<String, u64>,
}

impl Verify {
    pub(crate) async fn run(self) -> Result<()> {
        let log = Log::connect(&self.options).await?;
        let streams = match &self.stream {
            Some(stream) => vec![stream.as_str()],
            None => vec![
                USER_STREAM,
                ROOM_STREAM,
                MESSAGE_STREAM,
                SESSION_STREAM,
                STORE_STREAM,
                JOB_STREAM,
                BOT_STREAM,
            ],
        };
        let mut wrong = 0;
        for stream in streams {
            let report = Report::of(&log, stream).await?;
            wrong += report.wrong;
            report.print(self.json)?;
        }
        match wrong {
            0 => Ok(()),
            1 => bail!("one thing is wrong"),
            wrong => bail!("{wrong} things are wrong"),
        }
    }
}

impl Report {
    async fn of(log: &Log, stream: &str) -> Result<Self> {
        let (reader, head) = log.stream(stream).await?;
        let mut report = Self {
            stream: stream.to_owned(),
            events: 0,
            head,
            wrong: 0,
            findings: Vec::new(),
            last: 0,
            types: BTreeMap::new(),
        };
        let mut progress = Progress::new("sequence", head);
        while report.last < head {
            let page = reader.read(">", report.last + 1, PAGE).await;
            let page = page.map_err(dependency)?;
            let Some(first) = page.first().filter(|first| first.sequence <= head) else {
                break;
            };
            if report.last == 0 && stream == FORGETFUL {
                report.last = first.sequence - 1;
            }
            for event in page.iter().take_while(|event| event.sequence <= head) {
                report.look_at(event, log).await?;
            }
            progress.at(report.last);
        }
        if report.last < head && (report.last > 0 || stream != FORGETFUL) {
            report.missing(report.last + 1, head);
        }
        progress.end();
        report.compare_lanes(log).await?;
        Ok(report)
    }

    async fn look_at(&mut self, event: &Recorded, log: &Log) -> Result<()> {
        if event.sequence > self.last + 1 {
            self.missing(self.last + 1, event.sequence - 1);
        }
        self.last = event.sequence;
        self.events += 1;
        if event.subject.starts_with(CLAIM) {
            return Ok(());
        }
        *self.types.entry(event.event_type.clone()).or_default() += 1;
        if let Some(missing) = missing_header(event) {
            self.found(format!("{} has no `{missing}`", place(event)));
        }
        if !is_in_its_place(event) {
            self.found(format!(
                "{} is a {} on {}",
                place(event),
                event.event_type,
                event.subject
            ));
        }
        if let Err(error) = decode(event) {
            self.found(error.to_string());
        }
        if let Some(opener) = &log.opener
            && let Ok(mut body) = serde_json::from_slice(&event.payload)
            && !opener.open(event, &mut body).await?
        {
            self.found(format!(
                "{} has a sealed field that does not open",
                place(event)
            ));
        }
        Ok(())
    }

    /// A lane has at least what its stream had when it was read.
    async fn compare_lanes(&mut self, log: &Log) -> Result<()> {
        for lane in streams::topology()?.streams {
            let name = lane.name();
            let is_fed = lane.config.sources.iter().flatten();
            let is_fed = is_fed.into_iter().any(|source| source.name == self.stream);
            let Some(expected) = self.types.get(name).copied().filter(|_| is_fed) else {
                continue;
            };
            let found = caught_up(log, name, expected).await?;
            if found < expected {
                self.found(format!(
                    "lane {name} has {found} of {expected} events; if it does not catch up, \
                     delete it and run `doran streams apply`"
                ));
            }
        }
        Ok(())
    }

    fn missing(&mut self, first: u64, last: u64) {
        let stream = &self.stream;
        self.found(if first == last {
            format!("{stream}:{first} is missing")
        } else {
            format!("{stream}:{first} to {last} are missing")
        });
    }

    fn found(&mut self, finding: String) {
        self.wrong += 1;
        if self.findings.len() < SHOWN {
            self.findings.push(finding);
        }
    }

    fn print(&self, json: bool) -> Result<()> {
        if json {
            return output::json(self);
        }
        let state = if self.wrong == 0 { "ok   " } else { "WRONG" };
        let Self {
            stream,
            events,
            head,
            wrong,
            ..
        } = self;
        output::line(&format!(
            "{state}  {stream:<8}  {events} messages up to {head}, {wrong} wrong"
        ))?;
        for finding in &self.findings {
            output::line(&format!("       {}", output::printable(finding)))?;
        }
        Ok(())
    }
}

/// How many events a lane has, after some time to get those that it shall have.
async fn caught_up(log: &Log, lane: &str, expected: u64) -> Result<u64> {
    let begun = Instant::now();
    loop {
        let stream = log.js.get_stream(lane).await.map_err(dependency)?;
        let found = stream.cached_info().state.messages;
        if found >= expected || begun.elapsed() >= LANE_PATIENCE {
            return Ok(found);
        }
        sleep(GLANCE).await;
    }
}

fn place(event: &Recorded) -> String {
    format!("{}:{}", event.stream, event.sequence)
}

fn missing_header(event: &Recorded) -> Option<&'static str> {
    ENVELOPE
        .into_iter()
        .find(|header| event.headers.get(*header).is_none())
}

/// Whether the subject is one of its stream, and ends with the event's type.
fn is_in_its_place(event: &Recorded) -> bool {
    let (stream, event_type) = match Subject::parse(&event.subject) {
        Some(Subject::User { event_type, .. }) => (USER_STREAM, event_type),
        Some(Subject::Room { event_type, .. }) => (ROOM_STREAM, event_type),
        Some(Subject::Message { event_type, .. }) => (MESSAGE_STREAM, event_type),
        Some(Subject::Session { event_type, .. }) => (SESSION_STREAM, event_type),
        Some(Subject::Bookmark { event_type, .. } | Subject::File { event_type, .. }) => {
            (STORE_STREAM, event_type)
        }
        Some(Subject::Job { event_type, .. }) => (JOB_STREAM, event_type),
        Some(Subject::Bot { event_type, .. }) => (BOT_STREAM, event_type),
        None => return false,
    };
    *event.stream == *stream && event.event_type == event_type
}

/// Reads the event into its type, as services do.
fn decode(event: &Recorded) -> Result<(), DecodeError> {
    match &*event.stream {
        USER_STREAM => event
            .decode::<UserEvent>(&event_schema(USER_EVENTS))
            .map(drop),
        ROOM_STREAM => event
            .decode::<RoomEvent>(&event_schema(ROOM_EVENTS))
            .map(drop),
        MESSAGE_STREAM => event
            .decode::<MessageEvent>(&event_schema(MESSAGE_EVENTS))
            .map(drop),
        SESSION_STREAM => event
            .decode::<SessionEvent>(&event_schema(SESSION_EVENTS))
            .map(drop),
        STORE_STREAM if event.subject.starts_with(BOOKMARK) => event
            .decode::<BookmarkEvent>(&event_schema(BOOKMARK_EVENTS))
            .map(drop),
        STORE_STREAM => event
            .decode::<FileEvent>(&event_schema(FILE_EVENTS))
            .map(drop),
        JOB_STREAM => event
            .decode::<JobEvent>(&event_schema(JOB_EVENTS))
            .map(drop),
        BOT_STREAM => event
            .decode::<BotEvent>(&event_schema(BOT_EVENTS))
            .map(drop),
        _ => Ok(()),
    }
}
