//! Ctrl-C and its relatives, for the `./dev` binary: as messages instead of sudden death.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, bail};
use nix::sys::signal::{SigSet, Signal};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Hands every SIGINT, SIGTERM and SIGHUP from now on to `deliver`. Call it before any other
/// thread starts: threads inherit the blocked signals, children do not.
pub fn listen(deliver: impl Fn(Signal) + Send + 'static) -> Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            while let Ok(signal) = signals.wait() {
                INTERRUPTED.store(true, Ordering::SeqCst);
                deliver(signal);
            }
        })?;
    Ok(())
}

/// Fails once a signal has come, so that a long start ends early.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(())
}
