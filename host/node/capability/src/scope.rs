//! One call of a driver, as the capabilities see it: what it may do, until when, and what is written about it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use driver::{Call, CallBounds, Level, Log, Message, Verb};
use grant::{Access, Grants, Operation, Permit, PermitDenial, Refuser};
use tokio::time::{Instant, sleep_until};

use crate::lane::cancelled;
use crate::trail::{Subject, Trail};
use crate::{Audit, Error, Lanes, Ledger, Record, Redactor, Verdict};

/// How many bytes of log lines a call may write unless the site says otherwise.
pub const OUTPUT_BUDGET: u64 = 1 << 20;

/// The longest deadline: no clock can be asked for more.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How long no further progress is shown.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// What all calls of this host share.
pub struct Host {
    /// Takes the audit trail.
    pub audit: Arc<dyn Audit>,
    /// Whether calls that only look are audited too.
    pub audit_reads: bool,
    /// Knows whose the devices are.
    pub ledger: Arc<dyn Ledger>,
    /// Where blocking kernel calls run.
    pub lanes: Lanes,
}

/// Directories of the object, and the control group of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Does not survive a reboot.
    pub rundir: PathBuf,
    /// Survives it.
    pub statedir: PathBuf,
    /// The file that holds the configuration.
    pub config: PathBuf,
    /// Where the output of long-lived processes goes.
    pub logdir: PathBuf,
    /// The resource's own directory in cgroup2. None where there are no control groups to be had.
    pub cgroup: Option<PathBuf>,
}

/// What a [`Scope`] is made of.
pub struct Setup {
    /// What is asked of the driver.
    pub call: Call,
    /// How long it may take, and how it is given up.
    pub bounds: CallBounds,
    /// The action.
    pub verb: Verb,
    /// The sha256 of the driver's component.
    pub digest: String,
    /// What the driver may do for this resource.
    pub grants: Grants,
    /// Where things are.
    pub paths: Paths,
    /// How many bytes of log lines the call may write: [`OUTPUT_BUDGET`], or the site's `limit output`.
    pub output_budget: u64,
    /// The command that an operator wants run, in [`Verb::Exec`].
    pub argv: Vec<String>,
    /// Takes the lines of the action.
    pub log: Arc<dyn Log>,
    /// What all calls share.
    pub host: Arc<Host>,
}

/// What came of a call that may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<T> {
    /// Something was changed: counted, so that the step is undone on rollback.
    Touched(T),
    /// Everything was found as wanted.
    Nothing(T),
}

/// One call of a driver. Every capability function goes through [`Scope::look`], [`Scope::change`] and their `_at` and `_async` kin:
/// they get the permit or audit the refusal, run the effect until the deadline, count the change, and write the record.
pub struct Scope {
    setup: Setup,
    limit: Access,
    deadline: Instant,
    subject: Subject,
    talk: Mutex<Talk>,
    /// Whether a program was killed because it took too long.
    killed: AtomicBool,
}

/// What the driver said so far.
#[derive(Default)]
struct Talk {
    bytes: u64,
    dropped: u64,
    /// When progress was last shown.
    progress: Option<Instant>,
    /// The warnings and errors of a `status`.
    messages: Vec<Message>,
}

impl Scope {
    /// The clock of the call's deadline starts here.
    pub fn new(setup: Setup) -> Scope {
        let call = &setup.call;
        let keywords = call.keywords.iter().filter(|keyword| keyword.secret);
        let secrets = keywords.flat_map(|keyword| &keyword.values).chain(&call.secrets).cloned();
        let record = Record {
            object: call.object.to_string(),
            rid: call.rid.to_string(),
            driver: call.driver.to_string(),
            digest: setup.digest.clone(),
            sid: call.sid.clone(),
            action: setup.verb.as_str(),
            call: String::new(),
            judged: None,
            verdict: Verdict::Done(String::new()),
            duration: Duration::ZERO,
        };
        Scope {
            limit: if setup.verb.mutates() { Access::Mutate } else { Access::Read },
            deadline: Instant::now() + setup.bounds.deadline.min(FOREVER),
            subject: Subject {
                host: setup.host.clone(),
                redactor: Redactor::new(secrets),
                mutations: Arc::default(),
                refusals: Arc::default(),
                record,
            },
            talk: Mutex::default(),
            killed: AtomicBool::new(false),
            setup,
        }
    }

    /// Who refused what this line, that an [`Error::Denied`] named, would allow.
    pub fn refuser(&self, line: &str) -> Option<Refuser> {
        self.subject.refusals.lock().unwrap_or_else(PoisonError::into_inner).get(line).cloned()
    }

    /// What is asked of the driver.
    pub fn call(&self) -> &Call {
        &self.setup.call
    }

    /// How long the whole call may take, and the signal that gives it up.
    pub fn bounds(&self) -> &CallBounds {
        &self.setup.bounds
    }

    /// The action.
    pub fn verb(&self) -> Verb {
        self.setup.verb
    }

    /// The command that an operator wants run.
    pub(crate) fn argv(&self) -> &[String] {
        &self.setup.argv
    }

    /// What the driver may do.
    pub fn grants(&self) -> &Grants {
        &self.setup.grants
    }

    /// Where things are.
    pub fn paths(&self) -> &Paths {
        &self.setup.paths
    }

    /// What all calls share.
    pub fn host(&self) -> &Host {
        &self.setup.host
    }

    /// When the call must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How long the call may still take.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
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

    /// Returns once the action was given up, and its kernel call had its grace: nothing is left to wait for.
    pub async fn given_up(&self) {
        cancelled(&self.setup.bounds.cancel).await;
    }

    /// How many changes succeeded so far. Outlives the scope, for whoever must judge a call that was cut short.
    pub fn mutations(&self) -> Arc<AtomicU64> {
        self.subject.mutations.clone()
    }

    /// Hides the secrets of the call.
    pub fn redactor(&self) -> &Redactor {
        &self.subject.redactor
    }

    /// Writes a line to the action's log, without secrets and within the budget of the call. In `status` a warning or an
    /// error belongs to the report instead.
    pub fn say(&self, level: Level, text: &str) {
        let text = self.subject.redactor.redact(text);
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = talk.bytes.saturating_add(text.len() as u64 + 1);
        if bytes > self.setup.output_budget {
            talk.dropped += 1;
            return;
        }
        talk.bytes = bytes;
        if self.setup.verb == Verb::Status && level >= Level::Warn {
            talk.messages.push(Message { level, text });
            return;
        }
        drop(talk);
        self.setup.log.line(Some(&self.setup.call.rid), level, &text);
    }

    /// Says how far long work is, at most ten times a second.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: &str) {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if talk.progress.is_some_and(|last| now < last + PROGRESS_PAUSE) {
            return;
        }
        talk.progress = Some(now);
        drop(talk);
        self.setup.log.progress(&self.setup.call.rid, done, total, unit);
    }

    /// The warnings and errors said in `status`: they belong to its report.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.talk.lock().unwrap_or_else(PoisonError::into_inner).messages)
    }

    /// The device is now this resource's own: what it exposes is believed.
    pub fn give_device(&self, device: &str) {
        self.setup.host.ledger.give(&self.setup.call.object, &self.setup.call.rid, device);
    }

    /// The device is this resource's no more.
    pub fn take_device(&self, device: &str) {
        self.setup.host.ledger.take(&self.setup.call.object, &self.setup.call.rid, device);
    }

    /// Looks, by a call that blocks.
    pub async fn look<O, T, F>(&self, op: O, effect: F) -> Result<T, Error>
    where
        O: Operation,
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<T, Error> + Send + 'static,
    {
        self.change(op, |permit| effect(permit).map(Effect::Nothing)).await
    }

    /// Changes something, by a call that blocks. It cannot be interrupted: one that outlives the deadline goes on, the
    /// resource is stuck meanwhile, and its change is counted when it comes back.
    pub async fn change<O, T, F>(&self, op: O, effect: F) -> Result<T, Error>
    where
        O: Operation,
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<Effect<T>, Error> + Send + 'static,
    {
        let (permit, trail) = self.admit(op)?;
        self.elsewhere(permit, trail, effect).await
    }

    /// [`Scope::look`] with what is at `path`.
    pub async fn look_at<O, T, F>(&self, path: &Path, op: O, effect: F) -> Result<T, Error>
    where
        O: Operation,
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<T, Error> + Send + 'static,
    {
        self.change_at(path, op, |permit| effect(permit).map(Effect::Nothing)).await
    }

    /// [`Scope::change`] with what is at `path`. Where nothing can block, it is done here and now: that takes less time than to
    /// ask another thread for it.
    pub async fn change_at<O, T, F>(&self, path: &Path, op: O, effect: F) -> Result<T, Error>
    where
        O: Operation,
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<Effect<T>, Error> + Send + 'static,
    {
        let (permit, mut trail) = self.admit(op)?;
        if kernel::is_in_memory(path) {
            trail.begin();
            return trail.close(effect(permit));
        }
        self.elsewhere(permit, trail, effect).await
    }

    /// On a thread that may block.
    async fn elsewhere<O, T, F>(&self, permit: Permit<O>, mut trail: Trail, effect: F) -> Result<T, Error>
    where
        O: Operation,
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<Effect<T>, Error> + Send + 'static,
    {
        let call = trail.call();
        let work = move || {
            trail.begin();
            trail.close(effect(permit))
        };
        self.aside(call, work).await?
    }

    /// Work that may block and needs no permit. `what` is what the resource is stuck in if it does not come back.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        what: String,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (Call { object, rid, .. }, cancel) = (&self.setup.call, &self.setup.bounds.cancel);
        self.setup.host.lanes.run((object.clone(), rid.clone()), what, self.deadline, cancel, work).await
    }

    /// Looks, by a call that waits without blocking. Dropped at the deadline or when the action is given up.
    pub async fn look_async<O, T, F, Fut>(&self, op: O, effect: F) -> Result<T, Error>
    where
        O: Operation,
        F: FnOnce(Permit<O>) -> Fut + Send,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        let (permit, mut trail) = self.admit(op)?;
        trail.begin();
        let result = self.in_time(effect(permit)).await;
        trail.close(result.map(Effect::Nothing))
    }

    /// Changes something, by a call that waits without blocking. Dropped at the deadline or when the action is given up, and
    /// then counted as a change: so it must clean up on drop what it left half-done.
    pub async fn change_async<O, T, F, Fut>(&self, op: O, effect: F) -> Result<T, Error>
    where
        O: Operation,
        F: FnOnce(Permit<O>) -> Fut + Send,
        Fut: Future<Output = Result<Effect<T>, Error>> + Send,
    {
        self.change_judged(op, None, effect).await
    }

    /// [`Scope::change_async`] of what a guard has read, and found to be `judged`.
    pub(crate) async fn change_judged<O, T, F, Fut>(&self, op: O, judged: Option<String>, effect: F) -> Result<T, Error>
    where
        O: Operation,
        F: FnOnce(Permit<O>) -> Fut + Send,
        Fut: Future<Output = Result<Effect<T>, Error>> + Send,
    {
        let (permit, mut trail) = self.admit(op)?;
        trail.judged(judged);
        trail.begin();
        match self.in_time(effect(permit)).await {
            // Nobody can tell how far it came: the trail is dropped open.
            Err(cut @ (Error::TimedOut | Error::Cancelled)) => Err(cut),
            result => trail.close(result),
        }
    }

    /// Who must read the operation's request before it is sent. Nobody, where it is not allowed anyway.
    pub(crate) fn guard_of<O: Operation>(&self, op: O) -> Option<grant::SocketGuard> {
        self.setup.grants.permit(op, self.limit).ok()?.guard()
    }

    /// What a guard does not let through, and why, goes on record.
    pub(crate) fn refuse<O: Operation>(&self, op: &O, reason: String) -> Error {
        self.subject.refuse(PermitDenial { line: op.line(), by: Refuser::Guard(reason) })
    }

    /// The permit, unless the call is over, its resource is stuck, or nobody grants it. A refusal is on record.
    fn admit<O: Operation>(&self, op: O) -> Result<(Permit<O>, Trail), Error> {
        let call = &self.setup.call;
        if self.setup.bounds.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if self.remaining().is_zero() {
            return Err(Error::TimedOut);
        }
        if let Some(stuck) = self.setup.host.lanes.stuck(&call.object, &call.rid) {
            return Err(Error::Other(stuck.to_string()));
        }
        let permit = self.setup.grants.permit(op, self.limit).map_err(|denied| self.subject.refuse(denied))?;
        let trail = self.subject.trail(&permit);
        Ok((permit, trail))
    }

    async fn in_time<T>(&self, effect: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            result = effect => result,
            () = sleep_until(self.deadline) => Err(Error::TimedOut),
            () = self.setup.bounds.cancel.cancelled() => Err(Error::Cancelled),
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let talk = self.talk.get_mut().unwrap_or_else(PoisonError::into_inner);
        if talk.dropped > 0 {
            let text = format!("{} more lines were dropped: the call wrote too much", talk.dropped);
            self.setup.log.line(Some(&self.setup.call.rid), Level::Warn, &text);
        }
    }
}
