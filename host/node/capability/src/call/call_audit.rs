//! The audit of capability calls: one record for each, and the count of changes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grant::{Access, Operation, Permit, PermitDenial, Refuser};

use super::effect::Effect;
use super::{ContextSetup, HostServices};
use crate::{AuditRecord, AuditVerdict, CapabilityError, Redactor};

/// Writes the records of one call of a driver, and counts its changes.
pub(super) struct CallRecorder {
    services: Arc<HostServices>,
    pub(super) redactor: Redactor,
    pub(super) mutations: Arc<AtomicU64>,
    /// Who refused each of the grant lines that were missing so far.
    refusals: Mutex<BTreeMap<String, Refuser>>,
    /// A record that lacks the capability call, its verdict and its duration.
    blank: AuditRecord,
}

impl CallRecorder {
    pub(super) fn new(setup: &ContextSetup) -> CallRecorder {
        let ContextSetup { subject, inputs, .. } = setup;
        let keywords = inputs.keywords.iter().filter(|keyword| keyword.secret);
        let secrets = keywords.flat_map(|keyword| &keyword.values).chain(&inputs.secrets).cloned();
        CallRecorder {
            services: setup.services.clone(),
            redactor: Redactor::new(secrets),
            mutations: Arc::default(),
            refusals: Mutex::default(),
            blank: AuditRecord {
                object: subject.object.to_string(),
                rid: subject.rid.to_string(),
                driver: subject.driver.to_string(),
                digest: setup.digest.clone(),
                sid: setup.sid.clone(),
                action: setup.verb.as_str(),
                call: String::new(),
                judged: None,
                verdict: AuditVerdict::Done(String::new()),
                duration: Duration::ZERO,
            },
        }
    }

    /// Records a refusal, and remembers it for the error message that explains it.
    pub(super) fn refuse(&self, denied: PermitDenial) -> CapabilityError {
        let verdict = AuditVerdict::Denied(self.redactor.redact(&denied.by.to_string()));
        self.write(&denied.line, None, verdict, Instant::now());
        // Remembered without secrets, because the driver returns the line in this form and it is looked up by it.
        let line = self.redactor.redact(&denied.line);
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone(), denied.by);
        CapabilityError::Denied(line)
    }

    pub(super) fn refuser(&self, line: &str) -> Option<Refuser> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).get(line).cloned()
    }

    fn write(&self, call: &str, judged: Option<&str>, verdict: AuditVerdict, since: Instant) {
        let call = self.redactor.redact(call);
        let judged = judged.map(|judged| self.redactor.redact(judged));
        let record = AuditRecord { call, judged, verdict, duration: since.elapsed(), ..self.blank.clone() };
        self.services.audit.record(&record);
    }

    /// The audit of a capability call that is allowed.
    pub(super) fn audit<O: Operation>(self: &Arc<Self>, permit: &Permit<O>) -> CallAudit {
        let mutates = permit.access() == Access::Mutate;
        let counts = mutates && permit.op().counts();
        CallAudit {
            recorder: self.clone(),
            call: permit.op().line(),
            judged: None,
            grant: permit.line().to_owned(),
            since: Instant::now(),
            mutates,
            counts,
            audited: counts || self.services.audit_reads.load(Ordering::Relaxed),
            open: false,
        }
    }
}

/// The audit of one capability call.
///
/// ```text
///  new ──begin──▶ open ──close──▶ recorded with its result; a change is counted if the effect says so
///   │              └──drop──────▶ recorded as cut short; a change is counted, as it is not known how far the effect got
///   └──drop──▶ nothing: the effect never began
/// ```
pub(super) struct CallAudit {
    recorder: Arc<CallRecorder>,
    call: String,
    judged: Option<String>,
    grant: String,
    since: Instant,
    mutates: bool,
    /// Whether a change is counted. The host's own notes about a resource are not.
    counts: bool,
    audited: bool,
    open: bool,
}

impl CallAudit {
    /// The call as a grant line, without secrets.
    pub(super) fn call(&self) -> String {
        self.recorder.redactor.redact(&self.call)
    }

    pub(super) fn mutates(&self) -> bool {
        self.mutates
    }

    pub(super) fn judged(&mut self, judged: Option<String>) {
        self.judged = judged;
    }

    /// Marks that from here on something may have happened.
    pub(super) fn begin(&mut self) {
        self.open = true;
        self.since = Instant::now();
    }

    /// Counts a change and writes the record. In this order, and before the caller sees the result: a caller that is stopped
    /// in between has its change counted all the same.
    pub(super) fn close<T>(mut self, result: Result<Effect<T>, CapabilityError>) -> Result<T, CapabilityError> {
        self.open = false;
        match result {
            Ok(Effect::Touched(value)) => {
                self.count();
                self.write(AuditVerdict::Done(self.recorder.redactor.redact(&self.grant)));
                Ok(value)
            }
            Ok(Effect::Nothing(value)) => {
                self.write(AuditVerdict::Done(self.recorder.redactor.redact(&self.grant)));
                Ok(value)
            }
            Err(error) => {
                self.write(AuditVerdict::Failed(self.recorder.redactor.redact(&error.to_string())));
                Err(error)
            }
        }
    }

    fn count(&self) {
        if self.counts {
            self.recorder.mutations.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn write(&self, verdict: AuditVerdict) {
        if self.audited {
            self.recorder.write(&self.call, self.judged.as_deref(), verdict, self.since);
        }
    }
}

impl Drop for CallAudit {
    fn drop(&mut self) {
        if self.open {
            self.count();
            self.write(AuditVerdict::Failed("cut short".to_owned()));
        }
    }
}
