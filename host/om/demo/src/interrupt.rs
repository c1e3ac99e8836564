//! Interrupts, held back while there is something to take down: they are asked for between two commands.
//!
//! They are caught, not blocked: what is blocked here would be blocked in every program that is started, and a service that
//! cannot be told to end has to be killed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Catches the signals that end a program. Has no thread of its own.
pub(super) struct Interrupts {
    runtime: Runtime,
    signals: Vec<Signal>,
}

impl Interrupts {
    /// From here on this process is not ended by them.
    pub(super) fn hold() -> Result<Interrupts> {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot catch signals")?;
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let catch = || kinds.into_iter().map(signal).collect::<std::io::Result<_>>();
        let signals = runtime.block_on(async { catch() }).context("cannot catch signals")?;
        Ok(Interrupts { runtime, signals })
    }

    /// An error if one came since the last look.
    pub(super) fn check(&mut self) -> Result<()> {
        for signal in &mut self.signals {
            let caught = self.runtime.block_on(async { tokio::time::timeout(Duration::ZERO, signal.recv()).await });
            if caught.is_ok() {
                bail!("interrupted");
            }
        }
        Ok(())
    }
}
