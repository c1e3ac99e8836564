//! The errors of the API.

use serde_json::{Value, json};

/// An error in the format of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The reason for clients, such as `alreadyExists`.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

impl ApiError {
    /// An error with this status, reason and message.
    pub fn new(status: u16, reason: &str, message: impl Into<String>) -> ApiError {
        ApiError { status, reason: reason.to_owned(), message: message.into() }
    }

    /// The resource does not exist.
    pub fn not_found(path: &str) -> ApiError {
        ApiError::new(404, "notFound", format!("The resource '{path}' was not found"))
    }

    /// The resource exists already.
    pub fn already_exists(path: &str) -> ApiError {
        ApiError::new(409, "alreadyExists", format!("The resource '{path}' already exists"))
    }

    /// Another resource uses it.
    pub fn in_use(path: &str, by: &str) -> ApiError {
        let message = format!("The resource '{path}' is already being used by '{by}'");
        ApiError::new(400, "resourceInUseByAnotherResource", message)
    }

    /// It is changing its state.
    pub fn not_ready(path: &str) -> ApiError {
        ApiError::new(400, "resourceNotReady", format!("The resource '{path}' is not ready"))
    }

    /// The request is invalid.
    pub fn invalid(field: &str, message: impl std::fmt::Display) -> ApiError {
        ApiError::new(400, "invalid", format!("Invalid value for field '{field}': {message}"))
    }

    /// The fingerprint is of an older version.
    pub fn condition_not_met(field: &str) -> ApiError {
        let message = format!("Supplied fingerprint does not match current {field} fingerprint.");
        ApiError::new(412, "conditionNotMet", message)
    }

    /// The body of the response.
    pub fn body(&self) -> Value {
        let one = json!({"domain": "global", "reason": self.reason, "message": self.message});
        json!({"error": {"code": self.status, "message": self.message, "errors": [one]}})
    }
}
