//! Asynchronous work of the agent: many pieces at once, and one that is cancelled when the process gets a signal.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use agent::CancelSignal;
use anyhow::{Context, anyhow};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use tokio::task::JoinSet;

use crate::backend::Reply;

/// The number of pieces of work that a thread has in progress at once. More would only wait for a slot of the sandbox.
const AT_ONCE: usize = 16;

/// Runs pieces of asynchronous work on all processors. The results are in the order of the work; one that panicked is an error.
///
/// Each thread takes the next piece when it has room for it.
pub(super) fn side_by_side<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static> + Send,
) -> Reply<Vec<Reply<T>>> {
    let work = Mutex::new(work.enumerate());
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
    let parts = agent::on_all_processors(|| side_by_side_here(next)).context("cannot start a thread")?;
    let mut results: Vec<_> = parts.into_iter().flatten().collect();
    results.sort_by_key(|(at, _)| *at);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Runs the pieces that `next` yields on this thread. Each result comes with the number of its piece.
async fn side_by_side_here<P, T>(next: impl Fn() -> Option<(usize, P)>) -> Vec<(usize, Reply<T>)>
where
    P: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    // A task that panicked says only its id: by that, the number of its piece is found.
    let (mut running, mut numbers, mut results) = (JoinSet::new(), HashMap::new(), Vec::new());
    loop {
        while running.len() < AT_ONCE
            && let Some((at, piece)) = next()
        {
            numbers.insert(running.spawn(piece).id(), at);
        }
        let (id, result) = match running.join_next_with_id().await {
            None => return results,
            Some(Ok((id, result))) => (id, Ok(result)),
            Some(Err(error)) => (error.id(), Err(anyhow!("a status crashed").into())),
        };
        results.extend(numbers.remove(&id).map(|at| (at, result)));
    }
}

/// Whether this process has got a signal since its first action began. One may arrive between two actions of a command, and no
/// action may begin behind it.
static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on, a signal does not kill this process, and is remembered.
pub(super) fn remember_signals() {
    INTERRUPTED.get_or_init(|| {
        let caught = Arc::new(AtomicBool::new(false));
        for kind in [SIGINT, SIGTERM, SIGHUP] {
            // Without the handler the signal ends the process, and no action begins behind it either.
            let _ = flag::register(kind, Arc::clone(&caught));
        }
        caught
    });
}

pub(super) fn is_interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|caught| caught.load(Ordering::SeqCst))
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
