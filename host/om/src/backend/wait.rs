//! Waiting for asynchronous work, of the agent or of a client of the daemon.

use std::sync::OnceLock;

use anyhow::Context;
use tokio::runtime::Runtime;

use crate::backend::Reply;

/// The runtime of this command: one for all pieces of its work that are done one after the other. It is never shut down, so
/// a kernel call that does not return cannot keep the command from exiting.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs a piece of asynchronous work until it is finished. A command that needs none does not pay for a runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Reply<T> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.block_on(work));
    }
    // One thread is enough for one piece of work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("cannot start the asynchronous runtime")?;
    // Of two threads that come here for the first time, the later one uses the runtime of the other.
    Ok(RUNTIME.get_or_init(|| runtime).block_on(work))
}
