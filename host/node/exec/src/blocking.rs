//! The one way from async code to work that blocks, such as reading files.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does the work on a thread that may block, and waits for it without blocking.
///
/// A runtime with a single thread is that of one command, which has nothing else to do meanwhile. There the work is done at
/// once: to start a thread for it takes longer than to read the files of an instance.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Work is cancelled only while the runtime shuts down, and then nothing polls this future again.
        Err(_) => std::future::pending().await,
    }
}
