//! Waiting for asynchronous work, one piece or many, and cancelling it when the process gets a signal.

use std::sync::{Arc, OnceLock};

use agent::CancelSignal;
use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use crate::backend::Reply;

/// The runtime of this command: one for all pieces of its work that are done one after the other. It is never shut down, so
/// a kernel call that does not return cannot keep the command from exiting.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs a piece of asynchronous work until it is finished. A command that needs none does not pay for a runtime.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Reply<T> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.block_on(work));
    }
    // One thread is enough for one piece of work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("cannot start the asynchronous runtime")?;
    Ok(RUNTIME.get_or_init(|| runtime).block_on(work))
}

/// The number of pieces of work that are in progress at once. More would only wait for a slot of the sandbox.
const AT_ONCE: usize = 32;

/// Runs pieces of asynchronous work side by side, on all processors. The results are in the order of the work; one that
/// panicked is an error.
pub(super) fn side_by_side<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Reply<Vec<Reply<T>>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("cannot start the asynchronous runtime")?;
    let results = runtime.block_on(async {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        // All of them are spawned before the first is awaited.
        let tasks: Vec<_> = work
            .map(|piece| {
                let slots = Arc::clone(&slots);
                tokio::spawn(async move {
                    let _slot = slots.acquire_owned().await;
                    piece.await
                })
            })
            .collect();
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            results.push(task.await.context("a status crashed").map_err(Into::into));
        }
        results
    });
    runtime.shutdown_background();
    Ok(results)
}

/// Cancels the action at the first signal, so that what it changed is undone. Later signals change nothing: to stop the
/// undoing halfway would leave the service in a state that no action leads to.
pub(super) async fn cancel_on_signal(cancel: CancelSignal) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        // An action that cannot be cancelled is better than none: if it is killed, the next action recovers it.
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    // The handlers outlive this function, so a second Ctrl-C does not kill the process while it undoes the action.
    cancel.cancel();
}
