//! How far long work is: a bar on a terminal, plain lines elsewhere; always on standard error.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two plain lines.
const PAUSE: Duration = Duration::from_secs(2);

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
