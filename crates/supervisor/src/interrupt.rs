//! Ctrl-C and its relatives, for the `./dev` binary: as messages instead of sudden death.
//!
//! By handlers and not by blocking the signals, because children inherit what is blocked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result, bail};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Hands every SIGINT, SIGTERM and SIGHUP from now on to `deliver`.
pub fn listen(deliver: impl Fn() + Send + 'static) -> Result<()> {
    let (ready, is_ready) = sync_channel(1);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let runtime = match Builder::new_current_thread().enable_io().build() {
                Ok(runtime) => runtime,
                Err(error) => return ready.send(Err(error)).ok(),
            };
            runtime.block_on(async {
                let mut signals = match signals() {
                    Ok(signals) => signals,
                    Err(error) => return ready.send(Err(error)).ok(),
                };
                ready.send(Ok(())).ok()?;
                loop {
                    let [interrupt, terminate, hangup] = &mut signals;
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    INTERRUPTED.store(true, Ordering::SeqCst);
                    deliver();
                }
            })
        })?;
    is_ready
        .recv()
        .context("nobody listens for signals")?
        .context("cannot listen for signals")
}

/// Fails once a signal has come, so that a long start ends early.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(())
}

fn signals() -> std::io::Result<[Signal; 3]> {
    Ok([
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    ])
}
