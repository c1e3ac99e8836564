//! Waiting for asynchronous work, and cancelling it when the process gets a signal.

use agent::Cancel;
use anyhow::Context;

use crate::backend::Reply;

/// Runs a piece of asynchronous work until it is finished. A command that needs none does not pay for a runtime.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Reply<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("cannot start the asynchronous runtime")?;
    let result = runtime.block_on(work);
    // A kernel call that never returns must not keep the command from exiting.
    runtime.shutdown_background();
    Ok(result)
}

/// Cancels the action at the first signal, so that what it changed is undone. Later signals change nothing: to stop the
/// undoing halfway would leave the service in a state that no action leads to.
pub(super) async fn cancel_on_signal(cancel: Cancel) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    cancel.cancel();
}
