//! The context of one call of a driver: what it may do, until when, and what is written about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use driver::{CallBounds, KeywordValue, LogSeverity, LogSink, ProgramLimits, ReportMessage, Verb};
use grant::op::MountFreedom;
use grant::{Access, Grants, Operation, PermitDenial, Refuser};
use model::ObjectPath;
use tokio::time::{Instant, sleep};

use super::call_audit::CallRecorder;
use super::call_log::CallLog;
use super::{AdmittedCall, ContextSetup, GrantTemplates, HostServices, PlaceJudge, ResourcePaths, Subject};
use crate::holdings::ResourceLedger;
use crate::process::control_group_in;
use crate::queue::CallLane;
use crate::{CapabilityError, Redactor};

/// The namespace whose objects may use keywords that amount to root.
pub(crate) const ROOT: &str = "root";

/// The longest deadline. `Instant` cannot hold much more, so adding a longer one to it would panic.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// So much of a call on another thread counts as the driver's own time. Not all: to remove a large tree is one call that may take long.
/// A driver can be as bad as a loop only by many calls.
const LONGEST_COUNTED: Duration = Duration::from_millis(100);

/// How long a kernel call may still take once the action is given up.
const CANCEL_GRACE: Duration = Duration::from_secs(2);

/// The context of one call of a driver. Every capability function goes through [`CallContext::admit`].
pub struct CallContext {
    setup: ContextSetup,
    /// The access of the verb: `status` may only read, whatever the grants say.
    limit: Access,
    deadline: Instant,
    recorder: Arc<CallRecorder>,
    log: CallLog,
    /// Whether a program was killed because it took too long.
    killed: AtomicBool,
    /// How long its calls kept other threads of the host busy, in nanoseconds.
    busy_aside: Arc<AtomicU64>,
    /// The files that the driver looked at, as a change of their mode or owner must find them.
    looks: Mutex<BTreeMap<PathBuf, (u64, u64)>>,
}

impl CallContext {
    /// Starts the clock of the call's deadline.
    pub fn new(mut setup: ContextSetup) -> CallContext {
        let recorder = CallRecorder::new(&mut setup);
        CallContext::recorded(setup, recorder)
    }

    /// The context of a trigger of the resource. The trail calls it by that, and not by the resource's driver.
    pub fn of_trigger(mut setup: ContextSetup) -> CallContext {
        let recorder = CallRecorder::of_trigger(&mut setup);
        CallContext::recorded(setup, recorder)
    }

    fn recorded(setup: ContextSetup, recorder: CallRecorder) -> CallContext {
        let (log, rid) = (setup.log.clone(), setup.subject.rid.clone());
        CallContext {
            limit: if setup.verb.mutates() { Access::Mutate } else { Access::Read },
            deadline: Instant::now() + setup.bounds.deadline.min(FOREVER),
            recorder: Arc::new(recorder),
            log: CallLog::new(log, rid, setup.output_budget, setup.verb == Verb::Status),
            killed: AtomicBool::new(false),
            busy_aside: Arc::default(),
            looks: Mutex::default(),
            setup,
        }
    }

    /// The permit for an operation, unless the call is over, its resource is stuck, or no grant covers the operation. A
    /// refusal is audited.
    pub fn admit<O: Operation>(&self, op: O) -> Result<AdmittedCall<'_, O>, CapabilityError> {
        let Subject { object, rid, .. } = self.subject();
        // Refused now: behind a stuck call, this one would only wait for its own deadline.
        if let Some(stuck) = self.services().queues.stuck(object, rid) {
            return Err(CapabilityError::Other(stuck.to_string()));
        }
        self.permitted(op)
    }

    /// The same for the one call that is made although the resource is stuck: the one that frees it.
    pub(crate) fn admit_beside<O: Operation>(&self, op: O) -> Result<AdmittedCall<'_, O>, CapabilityError> {
        self.permitted(op).map(AdmittedCall::beside)
    }

    fn permitted<O: Operation>(&self, op: O) -> Result<AdmittedCall<'_, O>, CapabilityError> {
        if self.is_cancelled() {
            return Err(CapabilityError::Cancelled);
        }
        if self.is_overdue() {
            return Err(CapabilityError::TimedOut);
        }
        // The permit covers the operation and the verb: a driver asked for its status cannot write, whatever it was granted.
        let permit = self.grants().permit(op, self.limit).map_err(|denied| self.recorder.refuse(denied))?;
        if self.limit == Access::Mutate && permit.access() == Access::Mutate {
            // Another file may be at a path from here on.
            self.looks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        let audit = self.recorder.audit(&permit);
        Ok(AdmittedCall::new(self, permit, audit))
    }

    /// The guard that must read the operation's request before it is sent. None if no grant asks for one, or if the
    /// operation is not allowed anyway.
    pub(crate) fn guard_of<O: Operation>(&self, op: O) -> Option<grant::SocketGuard> {
        self.grants().permit(op, self.limit).ok()?.guard()
    }

    /// Audits that a guard refused an operation, and why.
    pub(crate) fn refuse<O: Operation>(&self, op: &O, reason: String) -> CapabilityError {
        self.recorder.refuse(PermitDenial { line: op.line(), by: Refuser::Guard(reason) })
    }

    /// Audits that the policy of the namespace does not say what an operation needs said.
    pub(crate) fn refuse_by_namespace(&self, op: &dyn Operation) -> CapabilityError {
        self.recorder.refuse(PermitDenial { line: op.line(), by: Refuser::Namespace })
    }

    /// The line that the driver's author would write for a refused one. Secrets stay what they are in it.
    pub fn suggested_request(&self, line: &str) -> String {
        let Some(GrantTemplates { context, .. }) = self.templates() else { return line.to_owned() };
        let keywords = self.configured().filter(|keyword| !keyword.secret);
        let keywords: Vec<grant::GrantKeyword<'_>> = keywords
            .map(|k| grant::GrantKeyword { name: &k.name, values: &k.values, provenance: &k.provenance })
            .collect();
        grant::suggested_request(line, context, &keywords)
    }

    /// Judges an operation again at the place to which links have led.
    pub(crate) fn judge_place(&self, op: &dyn Operation) -> Result<(), CapabilityError> {
        self.recorder.judge_place(op)
    }

    /// The judge of places, for work on another thread.
    pub(crate) fn place_judge(&self) -> PlaceJudge {
        PlaceJudge::of(self, Arc::clone(&self.recorder))
    }

    /// Remembers which file a path led to. A status changes none, so it need not remember.
    pub(crate) fn note_look(&self, path: &Path, file: (u64, u64)) {
        if self.limit == Access::Mutate {
            self.looks.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), file);
        }
    }

    /// The file that a path led to when the driver looked at it.
    pub(crate) fn looked_at(&self, path: &Path) -> Option<(u64, u64)> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied()
    }

    /// Which rule refused the grant line that a [`CapabilityError::Denied`] named.
    pub fn refuser(&self, line: &str) -> Option<Refuser> {
        self.recorder.refuser(line)
    }

    /// Runs work that may block and needs no permit. `what` names the work if it does not return and the resource is stuck.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        what: String,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CapabilityError> {
        self.aside_in(CallLane::Usual, what, work).await
    }

    pub(super) async fn aside_in<T: Send + 'static>(
        &self,
        lane: CallLane,
        what: String,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CapabilityError> {
        let Subject { object, rid, .. } = self.subject();
        let given_up = self.given_up();
        let busy = Arc::clone(&self.busy_aside);
        let work = move || {
            let began = kernel::clock::thread_cpu();
            let done = work();
            let spent = kernel::clock::thread_cpu().saturating_sub(began).min(LONGEST_COUNTED);
            busy.fetch_add(spent.as_nanos().try_into().unwrap_or(u64::MAX), Ordering::AcqRel);
            done
        };
        self.services().queues.run((object.clone(), rid.clone(), lane), what, self.deadline, given_up, work).await
    }

    /// How long the calls kept other threads of the host busy: their waiting for disks and devices does not count.
    pub fn busy_aside(&self) -> Duration {
        Duration::from_nanos(self.busy_aside.load(Ordering::Acquire))
    }

    /// Writes a line to the action's log, without secrets and within the budget of the call. In `status` a warning or an
    /// error belongs to the report instead.
    pub fn say(&self, level: LogSeverity, text: &str) {
        // Asked first: to look for secrets in what is dropped anyway takes time of the host.
        if self.log.has_room(text.len()) {
            self.log.line(level, self.recorder.redactor.redact(text));
        }
    }

    /// Reports the progress of long work, at most ten times a second.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: &str) {
        self.log.progress(done, total, unit);
    }

    /// The warnings and errors of a `status`, which belong to its report.
    pub fn take_messages(&self) -> Vec<ReportMessage> {
        self.log.take_messages()
    }

    /// Records that the resource owns the device, so that the host believes it when it exposes the device.
    pub fn give_device(&self, device: &str) {
        self.services().owners.give(&self.subject().object, &self.subject().rid, device);
    }

    /// Records that the resource may use a device of a volume, which goes on owning it.
    pub(crate) fn borrow_device(&self, lender: &ObjectPath, device: &str) {
        self.services().owners.lend(lender, &self.subject().object, &self.subject().rid, device);
    }

    /// Records that the mount point is the resource's, so that the host believes it when it exposes it.
    pub(crate) fn give_place(&self, place: &str) {
        self.services().owners.give_place(&self.subject().object, &self.subject().rid, place);
    }

    /// Records that the resource no longer owns the device.
    pub fn take_device(&self, device: &str) {
        self.services().owners.take(&self.subject().object, &self.subject().rid, device);
    }

    /// Completes when the action was given up and its kernel call had its grace: there is nothing left to wait for.
    pub async fn given_up(&self) {
        self.bounds().cancel.cancelled().await;
        // A kernel call cannot be interrupted, but most return soon. One that returns within the grace is still reported.
        sleep(CANCEL_GRACE).await;
    }

    /// Whether the action was given up.
    pub fn is_cancelled(&self) -> bool {
        self.bounds().cancel.is_cancelled()
    }

    /// When the call must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How long the call may still take.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// How long one capability call may take: as long as it asks for, at most until the deadline. 0 asks for all that is
    /// left.
    pub(crate) fn timeout(&self, milliseconds: u64) -> Duration {
        match milliseconds {
            0 => self.remaining(),
            milliseconds => Duration::from_millis(milliseconds).min(self.remaining()),
        }
    }

    /// Whether the whole call took too long.
    pub fn is_overdue(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Whether a program was killed because it took too long. The contract has no word for that in an action's error.
    pub fn has_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    pub(crate) fn note_killed(&self) {
        self.killed.store(true, Ordering::Release);
    }

    /// How many changes succeeded so far. The counter outlives the context, to judge a call that was cut short.
    pub fn mutations(&self) -> Arc<AtomicU64> {
        self.recorder.mutations.clone()
    }

    /// Hides the secrets of the call.
    pub fn redactor(&self) -> &Redactor {
        &self.recorder.redactor
    }

    pub fn subject(&self) -> &Subject {
        &self.setup.subject
    }

    pub fn verb(&self) -> Verb {
        self.setup.verb
    }

    pub(crate) fn sid(&self) -> &str {
        &self.setup.sid
    }

    pub fn keywords(&self) -> &[KeywordValue] {
        &self.setup.inputs.keywords
    }

    /// The keywords that are somebody's word here: what a third party's manifest has as a default is only for the driver.
    pub(crate) fn configured(&self) -> impl Iterator<Item = &KeywordValue> {
        self.keywords().iter().filter(|keyword| keyword.provenance.binds())
    }

    pub(crate) fn shared_keywords(&self) -> Arc<Vec<KeywordValue>> {
        Arc::clone(&self.setup.inputs.keywords)
    }

    pub(crate) fn shared_vars(&self) -> Arc<Vec<(String, String)>> {
        Arc::clone(&self.setup.inputs.vars)
    }

    /// Where the lines of the action go.
    pub(crate) fn log_sink(&self) -> Arc<dyn LogSink> {
        Arc::clone(&self.setup.log)
    }

    /// Whether the object is in the namespace `root`, whose keywords are root's own word.
    pub(crate) fn is_of_root(&self) -> bool {
        self.subject().object.namespace() == ROOT
    }

    /// The options that a mount of the object may have.
    pub(crate) fn mount_freedom(&self) -> MountFreedom {
        if self.is_of_root() { MountFreedom::Full } else { MountFreedom::Namespace }
    }

    /// The value of a fact of the host, such as `joined.rid`.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        let vars = self.setup.inputs.vars.iter();
        vars.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The command that an operator wants run.
    pub(crate) fn argv(&self) -> &[String] {
        &self.setup.inputs.argv
    }

    pub fn bounds(&self) -> &CallBounds {
        &self.setup.bounds
    }

    pub fn grants(&self) -> &Grants {
        &self.recorder.grants
    }

    pub(crate) fn templates(&self) -> Option<&GrantTemplates> {
        self.setup.templates.as_ref()
    }

    pub fn paths(&self) -> &ResourcePaths {
        &self.setup.paths
    }

    /// The control group of the resource. None if control groups are not available.
    pub(crate) fn cgroup(&self) -> Option<PathBuf> {
        let Subject { object, rid, .. } = self.subject();
        let subset = self.limits().subset.as_ref().map(|(name, _)| name);
        self.paths().instance.slice.directory().map(|slice| control_group_in(slice, object, subset, rid))
    }

    /// The limits of the programs that the call starts.
    pub(crate) fn limits(&self) -> &ProgramLimits {
        &self.setup.inputs.limits
    }

    /// The ledger of holdings, as this resource writes it.
    pub(crate) fn ledger(&self) -> ResourceLedger {
        let ledger = self.services().ledgers.at(&self.paths().instance.holdings);
        ResourceLedger { ledger, rid: self.subject().rid.to_string() }
    }

    pub fn services(&self) -> &HostServices {
        &self.setup.services
    }
}
