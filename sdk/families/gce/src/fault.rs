//! How the API says no, in sentences that say what to do.

use std::fmt::Display;

use hostler_sdk::http::Response;
use hostler_sdk::{CapabilityError, Error};
use serde_json::Value;

/// The answer of the API.
pub type Answer<T> = std::result::Result<T, Fault>;

/// A fault as the failure of what was being done: `.map_err(failed("cannot attach d"))?`.
pub fn failed(doing: impl Display) -> impl FnOnce(Fault) -> Error {
    move |fault| Error::from(fault).while_doing(doing)
}

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such thing.
    #[error("Google says: {0}")]
    NotFound(String),
    /// There is one already.
    #[error("Google says: {0}")]
    AlreadyExists(String),
    /// Somebody else has it.
    #[error("Google says: {0}")]
    InUse(String),
    /// It is on its way from one state to another.
    #[error("Google says: {0} (try again in a moment)")]
    NotReady(String),
    /// Somebody changed it meanwhile.
    #[error("Google says: {0} (somebody changed it meanwhile: try again)")]
    Conflict(String),
    /// The project may have no more.
    #[error("the quota of the project is exceeded: {0} (free something, or ask Google for more)")]
    Quota(String),
    /// The zone has no more.
    #[error("the zone has no resources left: {0} (try again later, or in another zone)")]
    Exhausted(String),
    /// Too many requests.
    #[error("too many requests, Google says: {0} (try again in a minute)")]
    RateLimit(String),
    /// The service account may not.
    #[error(
        "the instance's service account may not do this: {0} (give it roles/compute.instanceAdmin.v1, and for routes roles/compute.networkAdmin)"
    )]
    Forbidden(String),
    /// A fresh token was refused too.
    #[error("Google does not take the token of the instance's service account: {0}")]
    Unauthorized(String),
    /// The service has a problem.
    #[error("the Compute API has a problem: {0} (try again)")]
    Unavailable(String),
    /// No answer.
    #[error("the Compute API cannot be reached: {0}")]
    Unreachable(String),
    /// No token, no zone, no project.
    #[error("the metadata server of Google is of no help: {0}")]
    Metadata(String),
    /// It was accepted, and the time is over.
    #[error("{0} is still under way at Google: look again later")]
    Unfinished(String),
    /// Any other.
    #[error("Google says: {0}")]
    Other(String),
    /// The host refused or gave up.
    #[error(transparent)]
    Host(Error),
}

impl Fault {
    /// Of an answer that is no success.
    pub(super) fn of(answer: &Response) -> Fault {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let error = &body["error"];
        let message = error["message"].as_str().map_or_else(|| format!("HTTP status {}", answer.status), str::to_owned);
        let reason = error["errors"][0]["reason"].as_str().unwrap_or_default();
        Fault::named(answer.status, reason, message)
    }

    /// Of an operation that failed after it was accepted.
    pub(super) fn of_operation(error: &Value) -> Fault {
        let first = &error["errors"][0];
        let message = first["message"].as_str().unwrap_or("the operation failed").to_owned();
        match first["code"].as_str().unwrap_or_default() {
            "QUOTA_EXCEEDED" => Fault::Quota(message),
            code if code.starts_with("ZONE_RESOURCE_POOL_EXHAUSTED") => Fault::Exhausted(message),
            "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE" => Fault::InUse(message),
            "RESOURCE_NOT_FOUND" => Fault::NotFound(message),
            "RESOURCE_ALREADY_EXISTS" => Fault::AlreadyExists(message),
            "RESOURCE_NOT_READY" => Fault::NotReady(message),
            "INTERNAL_ERROR" => Fault::Unavailable(message),
            code => Fault::Other(format!("{message} ({code})")),
        }
    }

    fn named(status: u16, reason: &str, message: String) -> Fault {
        match (status, reason) {
            (404, _) => Fault::NotFound(message),
            (409, _) => Fault::AlreadyExists(message),
            (412, _) => Fault::Conflict(message),
            (_, "resourceInUseByAnotherResource") => Fault::InUse(message),
            (_, "resourceNotReady") => Fault::NotReady(message),
            (429, _) | (_, "rateLimitExceeded" | "userRateLimitExceeded") => Fault::RateLimit(message),
            (_, "quotaExceeded" | "limitExceeded") => Fault::Quota(message),
            (401, _) => Fault::Unauthorized(message),
            (403, _) => Fault::Forbidden(message),
            (500.., _) => Fault::Unavailable(message),
            _ => Fault::Other(message),
        }
    }

    /// Of a request that did not come through.
    pub(super) fn unsent(error: CapabilityError) -> Fault {
        match error {
            CapabilityError::Denied(_) | CapabilityError::Cancelled | CapabilityError::Invalid(_) => {
                Fault::Host(error.into())
            }
            error => Fault::Unreachable(error.to_string()),
        }
    }

    /// Of one that did not come through to the metadata server.
    pub(super) fn metadata(base: &str, error: CapabilityError) -> Fault {
        match Fault::unsent(error) {
            Fault::Unreachable(why) => Fault::Metadata(format!(
                "{why} (is this node an instance of Google's cloud? it asks at {base}, see gce_metadata)"
            )),
            fault => fault,
        }
    }

    /// Whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Fault::RateLimit(_) | Fault::Unavailable(_) | Fault::Unreachable(_) | Fault::NotReady(_))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Host(error)
    }
}

impl From<CapabilityError> for Fault {
    fn from(error: CapabilityError) -> Fault {
        Fault::Host(error.into())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        let text = fault.to_string();
        match fault {
            Fault::Host(error) => error,
            Fault::InUse(_)
            | Fault::NotReady(_)
            | Fault::Conflict(_)
            | Fault::Exhausted(_)
            | Fault::RateLimit(_)
            | Fault::Unavailable(_)
            | Fault::Unreachable(_)
            | Fault::Metadata(_)
            | Fault::Unfinished(_) => Error::Retryable(text),
            Fault::NotFound(_)
            | Fault::AlreadyExists(_)
            | Fault::Quota(_)
            | Fault::Forbidden(_)
            | Fault::Unauthorized(_)
            | Fault::Other(_) => Error::Failed(text),
        }
    }
}
