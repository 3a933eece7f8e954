//! `doran users scan`: whether a text can be read in the files of servers, in whatever form.

mod forms;
mod search;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use self::{
    forms::Form,
    search::{Files, find},
};
use crate::{exit::dependency, output};

/// Shorter ones are found by chance.
const SHORTEST: usize = 6;

/// Look for texts of a person in the files of NATS, PostgreSQL and Redis, in logs and mail
///
/// Reads every file below the folders, byte by byte, for the texts as they are, with the escapes
/// of JSON, in UTF-16, in hexadecimal and in base64 at any offset. Nothing is found of what is
/// sealed, before a deletion and after it. What a server compressed is not unpacked. Fails if
/// anything is found. Needs no server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  doran users scan --in .doran/data --in .doran/log kim@example.com 김민수")]
pub(crate) struct Scan {
    /// Look for these texts
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// Look in this folder; may be given several times
    #[arg(long = "in", required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// One place where a text can be read.
#[derive(Debug, Serialize)]
struct Trace<'a> {
    file: String,
    offset: u64,
    form: &'static str,
    text: &'a str,
}

impl Scan {
    pub(crate) fn run(self) -> Result<()> {
        for text in &self.texts {
            ensure!(
                text.len() >= SHORTEST,
                "{text:?} is too short: give at least {SHORTEST} bytes"
            );
        }
        let forms: Vec<_> = self.texts.iter().flat_map(|text| Form::of(text)).collect();
        let (mut files, mut bytes, mut traces) = (0_u64, 0_u64, 0_u64);
        for file in Files::below(self.folders.clone()) {
            let path = file.map_err(dependency)?;
            // A server may remove a file that it listed a moment ago.
            let Some(searched) = find(&path, &forms).map_err(dependency)? else {
                continue;
            };
            files += 1;
            bytes += searched.bytes;
            traces += searched.found.len() as u64;
            for (offset, form) in searched.found {
                self.show(&Trace {
                    file: path.display().to_string(),
                    offset,
                    form: form.name,
                    text: form.text,
                })?;
            }
        }
        if traces > 0 {
            bail!("found {traces} times in {files} files");
        }
        if !self.json {
            output::line(&format!("nothing found in {files} files, {bytes} bytes"))?;
        }
        Ok(())
    }

    fn show(&self, trace: &Trace<'_>) -> Result<()> {
        if self.json {
            return output::json(trace);
        }
        let Trace {
            file,
            offset,
            form,
            text,
        } = trace;
        let text = output::printable(text);
        Ok(output::line(&format!("{file}:{offset}: {form}: {text}"))?)
    }
}
