//! What is written about one capability call while it is under way: its audit record, and the count of changes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use grant::{Access, Operation, Permit, PermitDenial, Refuser};

use crate::scope::{Effect, Host};
use crate::{Error, Record, Redactor, Verdict};

/// The part of a record that is the same for all calls of a scope.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) host: Arc<Host>,
    pub(crate) redactor: Redactor,
    pub(crate) mutations: Arc<AtomicU64>,
    /// The lines that were missing so far, and who refused.
    pub(crate) refusals: Arc<Mutex<BTreeMap<String, Refuser>>>,
    /// With the call, the verdict and the duration left open.
    pub(crate) record: Record,
}

impl Subject {
    /// Writes a refusal, and remembers it for whoever explains it. Nothing else happens.
    pub(crate) fn refuse(&self, denied: PermitDenial) -> Error {
        let verdict = Verdict::Denied(self.redactor.redact(&denied.by.to_string()));
        self.write(&denied.line, None, verdict, Instant::now());
        let line = self.redactor.redact(&denied.line);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.insert(line.clone(), denied.by);
        Error::Denied(line)
    }

    fn write(&self, call: &str, judged: Option<&str>, verdict: Verdict, since: Instant) {
        let call = self.redactor.redact(call);
        let judged = judged.map(|judged| self.redactor.redact(judged));
        self.host.audit.record(&Record { call, judged, verdict, duration: since.elapsed(), ..self.record.clone() });
    }

    /// The trail of a call that is allowed.
    pub(crate) fn trail<O: Operation>(&self, permit: &Permit<O>) -> Trail {
        let mutates = permit.access() == Access::Mutate && permit.op().counts();
        Trail {
            subject: self.clone(),
            call: permit.op().line(),
            judged: None,
            grant: permit.line().to_owned(),
            since: Instant::now(),
            mutates,
            audited: mutates || self.host.audit_reads,
            open: false,
        }
    }
}

/// The trail of one call. Dropped between its beginning and its end, it says so, and counts what nobody can tell as a change.
pub(crate) struct Trail {
    subject: Subject,
    call: String,
    /// What a guard found it to be.
    judged: Option<String>,
    grant: String,
    since: Instant,
    mutates: bool,
    audited: bool,
    open: bool,
}

impl Trail {
    /// What is asked, as a grant line, without secrets.
    pub(crate) fn call(&self) -> String {
        self.subject.redactor.redact(&self.call)
    }

    /// What a guard found the call to be.
    pub(crate) fn judged(&mut self, judged: Option<String>) {
        self.judged = judged;
    }

    /// From here on something may have happened.
    pub(crate) fn begin(&mut self) {
        self.open = true;
        self.since = Instant::now();
    }

    /// Counts a change before anybody learns of it, and writes the record.
    pub(crate) fn close<T>(mut self, result: Result<Effect<T>, Error>) -> Result<T, Error> {
        self.open = false;
        match result {
            Ok(Effect::Touched(value)) => {
                self.count();
                self.write(Verdict::Done(self.subject.redactor.redact(&self.grant)));
                Ok(value)
            }
            Ok(Effect::Nothing(value)) => {
                self.write(Verdict::Done(self.subject.redactor.redact(&self.grant)));
                Ok(value)
            }
            Err(error) => {
                self.write(Verdict::Failed(self.subject.redactor.redact(&error.to_string())));
                Err(error)
            }
        }
    }

    fn count(&self) {
        if self.mutates {
            self.subject.mutations.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn write(&self, verdict: Verdict) {
        if self.audited {
            self.subject.write(&self.call, self.judged.as_deref(), verdict, self.since);
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if self.open {
            self.count();
            self.write(Verdict::Failed("cut short".to_owned()));
        }
    }
}
