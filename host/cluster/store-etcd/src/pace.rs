//! Every wait for a member has a limit.

use std::time::Duration;

use tonic::{Response, Status};

use crate::CallFault;

/// Waits for an answer, for no longer than the limit.
pub(crate) async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CallFault> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(CallFault::of(&status)),
        Err(_) => Err(CallFault::Silent(limit)),
    }
}
