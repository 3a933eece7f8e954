//! `doran events export`: a stream, or what of it is wanted, as a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use doran_eventstore::Recorded;

use super::{Options, filter::Filter, line::Line, log::Log};
use crate::{output, progress::Progress};

const PAGE: usize = 500;

/// Write the events that a stream holds now to a file, one JSON object a line
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran events export MESSAGE --output messages.ndjson
  doran events export USER --actor 0197… --output what-kim-did.ndjson")]
pub(crate) struct Export {
    /// A stream or a lane, such as `USER` or `MessageSent`
    stream: String,
    /// The file to make; it must not exist
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    options: Options,
}

impl Export {
    pub(crate) async fn run(self) -> Result<()> {
        if self.output.exists() {
            bail!("{} exists; choose another --output", self.output.display());
        }
        let log = Log::connect(&self.options).await?;
        // A reader of the finished name never sees half a file.
        let mut name = self.output.clone().into_os_string();
        name.push(".part");
        let part = PathBuf::from(name);
        let count = self.write(&log, &part).await?;
        fs::rename(&part, &self.output)
            .with_context(|| format!("cannot name {}", self.output.display()))?;
        Ok(output::line(&format!(
            "{count} events in {}",
            self.output.display()
        ))?)
    }

    async fn write(&self, log: &Log, path: &Path) -> Result<u64> {
        let (reader, head) = log.stream(&self.stream).await?;
        let mut file = BufWriter::new(create(path)?);
        let mut progress = Progress::new("sequence", head);
        let subjects = self.filter.subjects();
        let mut from = log.first_since(&reader, self.filter.since()).await?;
        let mut count = 0;
        while from <= head {
            let events = reader.read(&subjects, from, PAGE).await?;
            let Some(last) = events.last() else { break };
            from = last.sequence + 1;
            let wanted = |event: &&Recorded| event.sequence <= head && self.filter.fits(event);
            for event in events.iter().filter(wanted) {
                let line = Line::of(event, log.opener.as_ref()).await?;
                writeln!(file, "{}", line.json()?)?;
                count += 1;
            }
            progress.at(from - 1);
        }
        progress.end();
        let file = file
            .into_inner()
            .with_context(|| format!("cannot write {}", path.display()))?;
        file.sync_all()?;
        Ok(count)
    }
}

/// Readable by its owner alone: with `--open` it holds what people said.
fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))
}
