//! The errors of the API, with messages that say what to do.

use std::fmt::Display;

use hostler_sdk::http::HttpResponse;
use hostler_sdk::{CapabilityError, Error};
use serde_json::Value;

/// The result of a request.
pub type ComputeResult<T> = std::result::Result<T, ComputeError>;

/// Converts an error, with a text about the failed operation in front: `.map_err(failed("cannot attach d"))?`.
pub fn failed(doing: impl Display) -> impl FnOnce(ComputeError) -> Error {
    move |fault| Error::from(fault).while_doing(doing)
}

/// The error of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The resource does not exist.
    #[error("Google says: {0}")]
    NotFound(String),
    /// The resource exists already.
    #[error("Google says: {0}")]
    AlreadyExists(String),
    /// Another resource uses it.
    #[error("Google says: {0}")]
    InUse(String),
    /// It is changing its state.
    #[error("Google says: {0} (try again in a moment)")]
    NotReady(String),
    /// It was changed at the same time.
    #[error("Google says: {0} (it was changed at the same time: try again)")]
    Conflict(String),
    /// The quota of the project is exceeded.
    #[error("the quota of the project is exceeded: {0} (free something, or ask Google for more)")]
    Quota(String),
    /// The zone has no resources left.
    #[error("the zone has no resources left: {0} (try again later, or in another zone)")]
    Exhausted(String),
    /// There were too many requests.
    #[error("too many requests, Google says: {0} (try again in a minute)")]
    RateLimit(String),
    /// The service account does not have the permission.
    #[error(
        "the instance's service account may not do this: {0} (give it roles/compute.instanceAdmin.v1, and for routes roles/compute.networkAdmin)"
    )]
    Forbidden(String),
    /// The API also refused a new token.
    #[error("Google does not take the token of the instance's service account: {0}")]
    Unauthorized(String),
    /// The API has a problem.
    #[error("the Compute API has a problem: {0} (try again)")]
    Unavailable(String),
    /// There was no response.
    #[error("the Compute API cannot be reached: {0}")]
    Unreachable(String),
    /// The metadata server did not report the token, the zone or the project.
    #[error("the metadata server of Google did not help: {0}")]
    Metadata(String),
    /// The operation was accepted, but did not finish in time.
    #[error("{0} is still under way at Google: look again later")]
    Unfinished(String),
    /// Any other error of the API.
    #[error("Google says: {0}")]
    Other(String),
    /// The host refused the request, or the action was cancelled.
    #[error(transparent)]
    Host(Error),
}

impl ComputeError {
    /// The error of a response.
    pub(super) fn of(answer: &HttpResponse) -> ComputeError {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let error = &body["error"];
        let message = error["message"].as_str().map_or_else(|| format!("HTTP status {}", answer.status), str::to_owned);
        let reason = error["errors"][0]["reason"].as_str().unwrap_or_default();
        ComputeError::named(answer.status, reason, message)
    }

    /// The error of an operation that failed after it was accepted.
    pub(super) fn of_operation(error: &Value) -> ComputeError {
        let first = &error["errors"][0];
        let message = first["message"].as_str().unwrap_or("the operation failed").to_owned();
        // Errors of an operation have codes of their own, in upper case, unlike those of a request.
        match first["code"].as_str().unwrap_or_default() {
            "QUOTA_EXCEEDED" => ComputeError::Quota(message),
            code if code.starts_with("ZONE_RESOURCE_POOL_EXHAUSTED") => ComputeError::Exhausted(message),
            "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE" => ComputeError::InUse(message),
            "RESOURCE_NOT_FOUND" => ComputeError::NotFound(message),
            "RESOURCE_ALREADY_EXISTS" => ComputeError::AlreadyExists(message),
            "RESOURCE_NOT_READY" => ComputeError::NotReady(message),
            "INTERNAL_ERROR" => ComputeError::Unavailable(message),
            code => ComputeError::Other(format!("{message} ({code})")),
        }
    }

    fn named(status: u16, reason: &str, message: String) -> ComputeError {
        match (status, reason) {
            (404, _) => ComputeError::NotFound(message),
            (409, _) => ComputeError::AlreadyExists(message),
            (412, _) => ComputeError::Conflict(message),
            // The reason distinguishes what the status does not: 403 is used for quotas, rate limits and permissions.
            (_, "resourceInUseByAnotherResource") => ComputeError::InUse(message),
            (_, "resourceNotReady") => ComputeError::NotReady(message),
            (429, _) | (_, "rateLimitExceeded" | "userRateLimitExceeded") => ComputeError::RateLimit(message),
            (_, "quotaExceeded" | "limitExceeded") => ComputeError::Quota(message),
            (401, _) => ComputeError::Unauthorized(message),
            (403, _) => ComputeError::Forbidden(message),
            (500.., _) => ComputeError::Unavailable(message),
            _ => ComputeError::Other(message),
        }
    }

    /// The error of a request without a response.
    pub(super) fn unsent(error: CapabilityError) -> ComputeError {
        match error {
            // Cancellations and missing grants are not problems of the network, and must not be retried.
            CapabilityError::Denied(_) | CapabilityError::Cancelled | CapabilityError::Invalid(_) => {
                ComputeError::Host(error.into())
            }
            error => ComputeError::Unreachable(error.to_string()),
        }
    }

    /// The error of a request to the metadata server without a response.
    pub(super) fn metadata(base: &str, error: CapabilityError) -> ComputeError {
        match ComputeError::unsent(error) {
            // The address in the message tells an operator outside of Google's cloud what went wrong.
            ComputeError::Unreachable(why) => ComputeError::Metadata(format!(
                "{why} (is this node an instance of Google's cloud? it asks at {base}, see gce_metadata)"
            )),
            fault => fault,
        }
    }

    /// Whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        matches!(
            self,
            ComputeError::RateLimit(_)
                | ComputeError::Unavailable(_)
                | ComputeError::Unreachable(_)
                | ComputeError::NotReady(_)
        )
    }
}

impl From<Error> for ComputeError {
    fn from(error: Error) -> ComputeError {
        ComputeError::Host(error)
    }
}

impl From<CapabilityError> for ComputeError {
    fn from(error: CapabilityError) -> ComputeError {
        ComputeError::Host(error.into())
    }
}

impl From<ComputeError> for Error {
    fn from(fault: ComputeError) -> Error {
        let text = fault.to_string();
        match fault {
            ComputeError::Host(error) => error,
            ComputeError::InUse(_)
            | ComputeError::NotReady(_)
            | ComputeError::Conflict(_)
            | ComputeError::Exhausted(_)
            | ComputeError::RateLimit(_)
            | ComputeError::Unavailable(_)
            | ComputeError::Unreachable(_)
            | ComputeError::Metadata(_)
            | ComputeError::Unfinished(_) => Error::Retryable(text),
            ComputeError::NotFound(_)
            | ComputeError::AlreadyExists(_)
            | ComputeError::Quota(_)
            | ComputeError::Forbidden(_)
            | ComputeError::Unauthorized(_)
            | ComputeError::Other(_) => Error::Failed(text),
        }
    }
}
