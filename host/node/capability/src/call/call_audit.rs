//! The audit of capability calls: one record for each, and the count of changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use driver::Verb;
use grant::op::ArgumentThing;
use grant::{Access, Grants, Operation, Permit, PermitDenial, Refuser};

use super::effect::Effect;
use super::{ContextSetup, HostServices, Subject};
use crate::{AuditRecord, AuditVerdict, CapabilityError, Redactor};

/// Writes the records of one call of a driver, and counts its changes.
pub(super) struct CallRecorder {
    /// Here, and not in the context, because an effect on another thread judges the places that it opens.
    pub(super) grants: Grants,
    services: Arc<HostServices>,
    pub(super) redactor: Redactor,
    pub(super) mutations: Arc<AtomicU64>,
    refusals: Mutex<RefusalTally>,
    /// How many records of changes this call may still write.
    changes_left: AtomicU64,
    /// How many allowed calls that failed.
    failures: AtomicU64,
    subject: Arc<Subject>,
    /// Whose calls the trail says they are.
    driver: String,
    digest: Arc<str>,
    sid: String,
    verb: Verb,
}

/// A call that is refused more often is a mistake or an attack, of which nobody reads more.
const REFUSALS: usize = 16;

/// No action makes so many changes of the node; a driver that is granted one could fill the trail by it.
const CHANGES: u64 = 1000;

/// A failure costs a driver nothing, so that it could fill the trail by it. An action that fails more often tries one thing again.
const FAILURES: u64 = 64;

/// The longest line that a refusal shows. It is the one that would allow the operation, so a cut one allows less.
const LONGEST_LINE: usize = 2048;

/// The refusals of one call.
#[derive(Default)]
struct RefusalTally {
    /// Who refused each of the first grant lines that were missing.
    by_line: BTreeMap<String, Refuser>,
    count: u64,
}

impl CallRecorder {
    pub(super) fn new(setup: &mut ContextSetup) -> CallRecorder {
        let grants = std::mem::replace(&mut setup.grants, Grants::none());
        let ContextSetup { inputs, .. } = &*setup;
        let keywords = inputs.keywords.iter().filter(|keyword| keyword.secret);
        let secrets = keywords.flat_map(|keyword| &keyword.values).chain(&inputs.secrets).cloned();
        CallRecorder {
            grants,
            services: setup.services.clone(),
            redactor: Redactor::new(secrets),
            mutations: Arc::default(),
            refusals: Mutex::default(),
            changes_left: AtomicU64::new(CHANGES),
            failures: AtomicU64::new(0),
            subject: Arc::clone(&setup.subject),
            driver: setup.subject.driver.to_string(),
            digest: Arc::clone(&setup.digest),
            sid: setup.sid.clone(),
            verb: setup.verb,
        }
    }

    /// The same for a trigger of the resource, of which its driver knows nothing. No driver has a name without a dot.
    pub(super) fn of_trigger(setup: &mut ContextSetup) -> CallRecorder {
        let mut recorder = CallRecorder::new(setup);
        "trigger".clone_into(&mut recorder.driver);
        recorder
    }

    /// Records a refusal, and remembers it for the error message that explains it.
    pub(super) fn refuse(&self, denied: PermitDenial) -> CapabilityError {
        // Remembered without secrets, because the driver returns the line in this form and it is looked up by it.
        let line = self.redactor.redact(&cut(denied.line, LONGEST_LINE));
        let mut refusals = self.refusals();
        refusals.count += 1;
        let is_new = refusals.by_line.len() < REFUSALS;
        if is_new {
            refusals.by_line.insert(line.clone(), denied.by.clone());
        }
        // The record below is written without the lock, as it waits for the disk.
        let is_recorded = refusals.count <= REFUSALS as u64;
        drop(refusals);
        if is_recorded {
            let verdict = AuditVerdict::Denied(self.redactor.redact(&denied.by.to_string()));
            self.write(&line, (None, &[]), verdict, Instant::now());
        }
        CapabilityError::Denied(line)
    }

    pub(super) fn refuser(&self, line: &str) -> Option<Refuser> {
        self.refusals().by_line.get(line).cloned()
    }

    fn refusals(&self) -> MutexGuard<'_, RefusalTally> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more change, or one that failed, is recorded by itself.
    fn may_record(&self, verdict: &AuditVerdict) -> bool {
        if matches!(verdict, AuditVerdict::Failed(_)) {
            return self.failures.fetch_add(1, Ordering::AcqRel) < FAILURES;
        }
        let taken = self.changes_left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        taken.is_ok()
    }

    /// Judges an operation again at the place to which links have led.
    pub(super) fn judge_place(&self, op: &dyn Operation) -> Result<(), CapabilityError> {
        self.grants.permit_place(op, &kernel::path::real_place).map_err(|denied| self.refuse(denied))
    }

    /// Judges an operation under each name of its device.
    pub(super) fn judge_names<O: Operation>(&self, names: impl FnOnce() -> Vec<O>) -> Result<(), CapabilityError> {
        self.grants.forbids(names).map_or(Ok(()), |denied| Err(self.refuse(denied)))
    }

    /// Judges a program by what its arguments lead to.
    pub(super) fn judge_arguments(
        &self,
        op: &dyn Operation,
        spellings: &[(String, Vec<String>)],
        things: &[ArgumentThing],
        access: Access,
    ) -> Result<(), CapabilityError> {
        let thing = || things.iter().find_map(|thing| self.grants.forbids_thing(thing, access));
        let denied = self.grants.forbids_spelled(op, spellings).or_else(thing);
        denied.map_or(Ok(()), |denied| Err(self.refuse(denied)))
    }

    /// Judges a program with the places to which its arguments lead.
    pub(super) fn judge_argument_places(
        &self,
        op: &dyn Operation,
        there: &dyn Operation,
        led: &[(&str, &str)],
    ) -> Result<(), CapabilityError> {
        self.grants.permit_arguments(op, there, led, &kernel::path::real_place).map_err(|denied| self.refuse(denied))
    }

    fn write(
        &self,
        call: &str,
        (judged, details): (Option<&str>, &[(&'static str, String)]),
        verdict: AuditVerdict,
        since: Instant,
    ) {
        let Subject { object, rid, .. } = &*self.subject;
        self.services.audit.record(&AuditRecord {
            object: object.to_string(),
            rid: rid.to_string(),
            driver: self.driver.clone(),
            digest: self.digest.to_string(),
            sid: self.sid.clone(),
            action: self.verb.as_str(),
            call: self.redactor.redact(call),
            judged: judged.map(|judged| self.redactor.redact(judged)),
            details: details.iter().map(|(name, text)| (*name, self.redactor.redact(text))).collect(),
            verdict,
            duration: since.elapsed(),
        });
    }

    /// The audit of a capability call that is allowed.
    pub(super) fn audit<O: Operation>(self: &Arc<Self>, permit: &Permit<O>) -> CallAudit {
        let mutates = permit.access() == Access::Mutate;
        let counts = mutates && permit.op().counts();
        let audited = counts || self.services.audit_reads.load(Ordering::Relaxed);
        CallAudit {
            recorder: self.clone(),
            // Nearly all calls only read, and nobody reads of them.
            lines: audited.then(|| AuditLines { call: permit.op().line(), grant: permit.line() }),
            judged: None,
            details: Vec::new(),
            since: Instant::now(),
            mutates,
            counts,
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
    /// None if no record is written.
    lines: Option<AuditLines>,
    judged: Option<String>,
    /// What the line does not say: as whom, where, with which options.
    details: Vec<(&'static str, String)>,
    since: Instant,
    mutates: bool,
    /// Whether a change is counted. The host's own notes about a resource are not.
    counts: bool,
    open: bool,
}

/// The lines that a record shows.
struct AuditLines {
    /// The call, as a grant line.
    call: String,
    /// The line that allows it.
    grant: String,
}

impl CallAudit {
    pub(super) fn mutates(&self) -> bool {
        self.mutates
    }

    pub(super) fn judged(&mut self, judged: Option<String>) {
        self.judged = judged;
    }

    pub(super) fn note(&mut self, name: &'static str, text: String) {
        // Nearly all calls only read, and nobody reads of them.
        if self.lines.is_some() && !text.is_empty() {
            self.details.push((name, text));
        }
    }

    /// Does the work of an operation. Where links in its path lead to another place, the operation must be allowed there as well.
    pub(super) fn at_real_places<O: Operation, T>(
        &self,
        work: impl FnOnce() -> Result<T, CapabilityError>,
    ) -> Result<T, CapabilityError> {
        let refused = RefCell::new(None);
        let judge = |real: &Path| match O::at(real).map(|op| self.recorder.judge_place(&*op)) {
            Some(Err(denied)) => {
                refused.replace(Some(denied));
                Err(kernel::KernelError::Invalid(format!("{} is not allowed", real.display())))
            }
            _ => Ok(()),
        };
        let result = kernel::path::judging_links(&judge, work);
        refused.take().map_or(result, Err)
    }

    /// Marks that from here on something may have happened.
    pub(super) fn begin(&mut self) {
        self.open = true;
        self.since = Instant::now();
    }

    /// Counts a change and writes the record. In this order, and before the caller sees the result: a caller that is stopped
    /// in between has its change counted all the same.
    pub(super) fn close<T>(mut self, result: Result<Effect<T>, CapabilityError>) -> Result<T, CapabilityError> {
        // First, as this value is dropped here: an open one counts a change.
        self.open = false;
        let result = result.map(|effect| match effect {
            Effect::Touched(value) => {
                self.count();
                value
            }
            Effect::Nothing(value) => value,
        });
        let redact = |text: &str| self.recorder.redactor.redact(text);
        self.write(|lines| match &result {
            Ok(_) => AuditVerdict::Done(redact(&lines.grant)),
            Err(error) => AuditVerdict::Failed(redact(&error.to_string())),
        });
        result
    }

    fn count(&self) {
        if self.counts {
            self.recorder.mutations.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn write(&self, verdict: impl FnOnce(&AuditLines) -> AuditVerdict) {
        let Some(lines) = &self.lines else { return };
        let verdict = verdict(lines);
        if self.recorder.may_record(&verdict) {
            let more = (self.judged.as_deref(), &*self.details);
            self.recorder.write(&lines.call, more, verdict, self.since);
        }
    }
}

impl Drop for CallAudit {
    fn drop(&mut self) {
        if self.open {
            self.count();
            self.write(|_| AuditVerdict::Failed("cut short".to_owned()));
        }
    }
}

impl Drop for CallRecorder {
    /// Records how much was not recorded by itself.
    fn drop(&mut self) {
        let refused = self.refusals().count.saturating_sub(REFUSALS as u64);
        if refused > 0 {
            let verdict = AuditVerdict::Denied("refused in the same call, and not recorded one by one".to_owned());
            self.write(&format!("{refused} more"), (None, &[]), verdict, Instant::now());
        }
        let failed = self.failures.load(Ordering::Acquire).saturating_sub(FAILURES);
        if failed > 0 {
            let verdict = AuditVerdict::Failed("failed in the same call, and not recorded one by one".to_owned());
            self.write(&format!("{failed} more"), (None, &[]), verdict, Instant::now());
        }
        if self.changes_left.load(Ordering::Acquire) == 0 {
            let verdict =
                AuditVerdict::Failed("further changes of the same call are not recorded one by one".to_owned());
            self.write(&format!("more than {CHANGES} changes"), (None, &[]), verdict, Instant::now());
        }
    }
}

/// The text, cut between two characters.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
}
