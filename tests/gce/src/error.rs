//! How the API says no.

use serde_json::{Value, json};

/// A refusal, or a failure, as the API words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Of HTTP.
    pub status: u16,
    /// `alreadyExists`: what clients decide by.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl ApiError {
    /// With these words.
    pub fn new(status: u16, reason: &str, message: impl Into<String>) -> ApiError {
        ApiError { status, reason: reason.to_owned(), message: message.into() }
    }

    /// There is none.
    pub fn not_found(path: &str) -> ApiError {
        ApiError::new(404, "notFound", format!("The resource '{path}' was not found"))
    }

    /// There is one already.
    pub fn already_exists(path: &str) -> ApiError {
        ApiError::new(409, "alreadyExists", format!("The resource '{path}' already exists"))
    }

    /// Somebody else has it.
    pub fn in_use(path: &str, by: &str) -> ApiError {
        let message = format!("The resource '{path}' is already being used by '{by}'");
        ApiError::new(400, "resourceInUseByAnotherResource", message)
    }

    /// It is on its way from one state to another.
    pub fn not_ready(path: &str) -> ApiError {
        ApiError::new(400, "resourceNotReady", format!("The resource '{path}' is not ready"))
    }

    /// The request makes no sense.
    pub fn invalid(field: &str, message: impl std::fmt::Display) -> ApiError {
        ApiError::new(400, "invalid", format!("Invalid value for field '{field}': {message}"))
    }

    /// The fingerprint is of an older version.
    pub fn condition_not_met(field: &str) -> ApiError {
        let message = format!("Supplied fingerprint does not match current {field} fingerprint.");
        ApiError::new(412, "conditionNotMet", message)
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let one = json!({"domain": "global", "reason": self.reason, "message": self.message});
        json!({"error": {"code": self.status, "message": self.message, "errors": [one]}})
    }
}
