//! A stretch of a stream on the screen.

use anyhow::Result;
use doran_eventstore::{LogReader, Recorded};

use super::{filter::Filter, line::Line, log::Log};
use crate::output;

/// How many events are read at once.
const PAGE: usize = 500;

/// What is printed of the events that are read, and how.
#[derive(Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) log: &'a Log,
    pub(super) filter: &'a Filter,
    pub(super) json: bool,
}

impl Printer<'_> {
    /// Prints those of the sequences `from` to `head` that are wanted, `limit` at most.
    pub(super) async fn stretch(
        self,
        reader: &LogReader,
        mut from: u64,
        head: u64,
        limit: usize,
    ) -> Result<()> {
        let subjects = self.filter.subjects();
        let mut printed = 0;
        while printed < limit && from <= head {
            let events = reader.read(&subjects, from, PAGE).await?;
            let Some(last) = events.last() else { break };
            from = last.sequence + 1;
            for event in events.iter().filter(|event| event.sequence <= head) {
                if printed == limit {
                    break;
                }
                printed += usize::from(self.event(event).await?);
            }
        }
        Ok(())
    }

    /// Prints the event if it is wanted, and says whether it was.
    pub(super) async fn event(self, event: &Recorded) -> Result<bool> {
        let is_wanted = self.filter.fits(event);
        if is_wanted {
            let line = Line::of(event, self.log.opener.as_ref()).await?;
            output::line(&if self.json { line.json()? } else { line.text() })?;
        }
        Ok(is_wanted)
    }
}
