//! Faults on demand: the errors that the API documents, each as often as requested.

use serde::{Deserialize, Serialize};

use crate::ApiError;

/// A fault to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InjectedFault {
    /// 503: try again.
    Unavailable,
    /// 403 rateLimitExceeded.
    RateLimit,
    /// 403 quotaExceeded.
    Quota,
    /// 403 forbidden: the service account does not have the permission.
    Forbidden,
    /// 401: the token is refused.
    ExpiredToken,
    /// 404 notFound.
    NotFound,
    /// 409 alreadyExists.
    AlreadyExists,
    /// 400 resourceInUseByAnotherResource.
    InUse,
    /// 400 resourceNotReady.
    NotReady,
    /// 412 conditionNotMet.
    ConditionNotMet,
    /// Accepted; the operation fails with QUOTA_EXCEEDED.
    LateQuota,
    /// Accepted; the operation fails with ZONE_RESOURCE_POOL_EXHAUSTED.
    LateExhausted,
    /// Accepted; the operation fails with INTERNAL_ERROR.
    LateInternal,
    /// Accepted; the operation does not finish until the faults are cleared.
    Stuck,
    /// Attached, and no device appears.
    NoDevice,
    /// Done, but the connection breaks before the response.
    Lost,
}

/// A fault that waits for its method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FaultRule {
    /// `disks.insert`, or `*` for any.
    pub method: String,
    /// The fault.
    pub fault: InjectedFault,
    /// How many more times. By default once.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// The failure of an operation that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum AfterAcceptance {
    Fails { code: String, message: String, status: u16 },
    Stuck,
    NoDevice,
}

/// The faults that wait for their methods.
#[derive(Debug, Default)]
pub struct FaultRules(Vec<FaultRule>);

impl FaultRules {
    /// Adds a fault.
    pub fn add(&mut self, fault: FaultRule) {
        self.0.push(fault);
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the first fault of a method for which `take` returns a value.
    fn take<T>(&mut self, id: &str, take: impl Fn(InjectedFault) -> Option<T>) -> Option<T> {
        let short = id.trim_start_matches("compute.");
        let found = self.0.iter_mut().filter(|injected| injected.method == "*" || injected.method == short);
        let (taken, injected) =
            found.filter(|injected| injected.times > 0).find_map(|injected| Some((take(injected.fault)?, injected)))?;
        injected.times -= 1;
        Some(taken)
    }

    /// Refuses a call.
    pub(crate) fn refuse(&mut self, id: &str) -> Result<(), ApiError> {
        match self.take(id, |fault| refusal(fault, id)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// How the operation of a call that is accepted now will fail.
    pub(crate) fn after_acceptance(&mut self, id: &str) -> Option<AfterAcceptance> {
        self.take(id, |fault| {
            let fails = |code: &str, message: &str, status| AfterAcceptance::Fails {
                code: code.to_owned(),
                message: message.to_owned(),
                status,
            };
            Some(match fault {
                InjectedFault::LateQuota => fails(
                    "QUOTA_EXCEEDED",
                    "Quota 'DISKS_TOTAL_GB' exceeded.  Limit: 4096.0 in region europe-west1.",
                    403,
                ),
                InjectedFault::LateExhausted => fails(
                    "ZONE_RESOURCE_POOL_EXHAUSTED",
                    "The zone 'europe-west1-b' does not have enough resources available to fulfill the request.",
                    503,
                ),
                InjectedFault::LateInternal => {
                    fails("INTERNAL_ERROR", "Internal error. Please try again or contact support.", 503)
                }
                InjectedFault::Stuck => AfterAcceptance::Stuck,
                InjectedFault::NoDevice => AfterAcceptance::NoDevice,
                _ => return None,
            })
        })
    }

    /// Whether the response to this call must be lost.
    pub(crate) fn is_lost(&mut self, id: &str) -> bool {
        self.take(id, |fault| (fault == InjectedFault::Lost).then_some(())).is_some()
    }
}

fn refusal(fault: InjectedFault, id: &str) -> Option<ApiError> {
    Some(match fault {
        InjectedFault::Unavailable => ApiError::new(503, "backendError", "The service is currently unavailable."),
        InjectedFault::RateLimit => ApiError::new(
            403,
            "rateLimitExceeded",
            "Quota exceeded for quota metric 'Queries' of service 'compute.googleapis.com'.",
        ),
        InjectedFault::Quota => ApiError::new(
            403,
            "quotaExceeded",
            "Quota 'DISKS_TOTAL_GB' exceeded.  Limit: 4096.0 in region europe-west1.",
        ),
        InjectedFault::Forbidden => ApiError::new(403, "forbidden", format!("Required '{id}' permission")),
        InjectedFault::ExpiredToken => ApiError::new(401, "authError", "Invalid Credentials"),
        InjectedFault::NotFound => ApiError::not_found("an injected fault"),
        InjectedFault::AlreadyExists => ApiError::already_exists("an injected fault"),
        InjectedFault::InUse => ApiError::in_use("an injected fault", "another"),
        InjectedFault::NotReady => ApiError::not_ready("an injected fault"),
        InjectedFault::ConditionNotMet => ApiError::condition_not_met("an injected fault"),
        _ => return None,
    })
}
