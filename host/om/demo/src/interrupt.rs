//! Signals that would stop the demo, held back while it has something to take down. The demo checks for them between two
//! commands.
//!
//! They are caught, not blocked: a blocked signal stays blocked in every program that is started, and the service could then
//! only be killed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop a program, caught. No thread is needed for it.
pub(super) struct HeldSignals {
    runtime: Runtime,
    signals: Vec<Signal>,
}

impl HeldSignals {
    /// From here on, the signals do not stop this process.
    pub(super) fn hold() -> Result<HeldSignals> {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot catch signals")?;
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let catch = || kinds.into_iter().map(signal).collect::<std::io::Result<_>>();
        // Inside of the runtime, without which tokio refuses to register a handler.
        let signals = runtime.block_on(async { catch() }).context("cannot catch signals")?;
        Ok(HeldSignals { runtime, signals })
    }

    /// An error if a signal came since the last check.
    pub(super) fn check(&mut self) -> Result<()> {
        for signal in &mut self.signals {
            // A timeout of zero polls once, so that this does not wait for a signal.
            let caught = self.runtime.block_on(async { tokio::time::timeout(Duration::ZERO, signal.recv()).await });
            if caught.is_ok() {
                bail!("interrupted");
            }
        }
        Ok(())
    }
}
