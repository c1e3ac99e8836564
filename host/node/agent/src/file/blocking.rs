//! The one way from async code to work that blocks, such as reading files.

/// Does the work on a thread that may block, and waits for it without blocking.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Work is cancelled only while the runtime shuts down, and then nothing polls this future again.
        Err(_) => std::future::pending().await,
    }
}
