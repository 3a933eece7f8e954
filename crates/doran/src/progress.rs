//! How far long work is: a bar on a terminal, plain lines elsewhere; always on standard error.
//! Where nobody knows how much there is to do, what has been done and for how long it has run.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two plain lines.
const PAUSE: Duration = Duration::from_secs(2);
/// Between two looks of a spinner.
const TURN: Duration = Duration::from_millis(100);

pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines {
        what: &'static str,
        total: u64,
        last: Instant,
    },
}

impl Progress {
    /// `what` is counted up to `total`.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines {
                what,
                total,
                last: Instant::now(),
            };
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self::Bar(ProgressBar::new(total).with_style(style).with_message(what))
    }

    pub(crate) fn at(&mut self, place: u64) {
        match self {
            Self::Bar(bar) => bar.set_position(place),
            Self::Lines { what, total, last } if last.elapsed() >= PAUSE => {
                // Nobody has to listen.
                writeln!(io::stderr(), "{what} {place} of {total}").ok();
                *last = Instant::now();
            }
            Self::Lines { .. } => {}
        }
    }

    pub(crate) fn end(self) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines { .. } => {}
        }
    }
}

/// Work without a known end.
pub(crate) enum Activity {
    Spinner(ProgressBar),
    Lines { said: String, last: Instant },
}

impl Activity {
    pub(crate) fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines {
                said: String::new(),
                last: Instant::now(),
            };
        }
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let spinner = ProgressBar::new_spinner().with_style(style);
        spinner.enable_steady_tick(TURN);
        Self::Spinner(spinner)
    }

    /// What it does now, or has done so far.
    pub(crate) fn at(&mut self, what: &str) {
        match self {
            Self::Spinner(spinner) => spinner.set_message(what.to_owned()),
            Self::Lines { said, last } => {
                if said == what || (!said.is_empty() && last.elapsed() < PAUSE) {
                    return;
                }
                // Nobody has to listen.
                writeln!(io::stderr(), "{what}").ok();
                what.clone_into(said);
                *last = Instant::now();
            }
        }
    }

    pub(crate) fn end(self) {
        match self {
            Self::Spinner(spinner) => spinner.finish_and_clear(),
            Self::Lines { .. } => {}
        }
    }
}
