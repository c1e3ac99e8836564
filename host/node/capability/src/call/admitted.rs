//! A capability call that the grants allow: it runs its effect, until the deadline, and reports the result to the audit
//! trail.

use std::path::Path;

use grant::{Operation, Permit};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::sleep_until;

use super::CallContext;
use super::call_audit::CallAudit;
use super::effect::Effect;
use crate::CapabilityError;
use crate::queue::CallLane;

/// An allowed capability call. Running it consumes it; dropped without that, it leaves no record.
#[must_use]
pub struct AdmittedCall<'c, O> {
    context: &'c CallContext,
    permit: Permit<O>,
    audit: CallAudit,
    lane: CallLane,
}

impl<'c, O: Operation> AdmittedCall<'c, O> {
    pub(super) fn new(context: &'c CallContext, permit: Permit<O>, audit: CallAudit) -> AdmittedCall<'c, O> {
        AdmittedCall { context, permit, audit, lane: CallLane::Usual }
    }

    /// Makes the call beside one that is stuck.
    pub(super) fn beside(self) -> AdmittedCall<'c, O> {
        AdmittedCall { lane: CallLane::Beside, ..self }
    }

    /// Adds to the record what a guard found the call to be.
    pub(crate) fn judged(mut self, judged: Option<String>) -> AdmittedCall<'c, O> {
        self.audit.judged(judged);
        self
    }

    /// Adds to the record what the line of the call does not say.
    pub(crate) fn noting(mut self, name: &'static str, text: String) -> AdmittedCall<'c, O> {
        self.audit.note(name, text);
        self
    }

    /// The same for several.
    pub(crate) fn noting_all(self, details: Vec<(&'static str, String)>) -> AdmittedCall<'c, O> {
        details.into_iter().fold(self, |call, (name, text)| call.noting(name, text))
    }

    /// Runs an effect that blocks, on a thread for that. It cannot be interrupted: one that outlives the deadline goes on,
    /// the resource is stuck meanwhile, and a change is counted when the effect returns.
    pub async fn blocking<T, F>(self, effect: F) -> Result<T, CapabilityError>
    where
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<Effect<T>, CapabilityError> + Send + 'static,
    {
        let AdmittedCall { context, permit, mut audit, lane } = self;
        // It names the call if the resource gets stuck in it.
        let call = context.redactor().redact(&permit.op().line());
        // The audit begins on the other thread: a call that waits for its turn until the deadline never began, and is not a
        // change.
        let work = move || {
            audit.begin();
            let result = audit.at_real_places::<O, _>(|| effect(permit));
            audit.close(result)
        };
        context.aside_in(lane, call, work).await?
    }

    /// Runs an effect on the file at `path`. Where that can keep nobody waiting it runs here and now, which takes less time
    /// than to hand it to another thread. Otherwise it is as in [`AdmittedCall::blocking`].
    pub async fn blocking_at<T, F>(self, path: &Path, effect: F) -> Result<T, CapabilityError>
    where
        T: Send + 'static,
        F: FnOnce(Permit<O>) -> Result<Effect<T>, CapabilityError> + Send + 'static,
    {
        if !self.context.may_act_here(path) {
            return self.blocking(effect).await;
        }
        let AdmittedCall { permit, mut audit, .. } = self;
        audit.begin();
        let result = audit.at_real_places::<O, _>(|| effect(permit));
        audit.close(result)
    }

    /// Runs an effect that waits without blocking. The effect is dropped at the deadline or when the action is given up,
    /// and a mutating one then counts as a change: so it must clean up on drop what it left half done.
    pub async fn waiting<T, F, Fut>(self, effect: F) -> Result<T, CapabilityError>
    where
        F: FnOnce(Permit<O>) -> Fut + Send,
        Fut: Future<Output = Result<Effect<T>, CapabilityError>> + Send,
    {
        let AdmittedCall { context, permit, mut audit, .. } = self;
        audit.begin();
        match context.in_time(effect(permit)).await {
            // It is not known how far the effect got. So the audit is dropped open, which counts a change.
            Err(cut @ (CapabilityError::TimedOut | CapabilityError::Cancelled)) if audit.mutates() => Err(cut),
            result => audit.close(result),
        }
    }

    /// Runs an effect that heeds the deadline and the cancellation of the action by itself, and cleans up behind itself then.
    pub(crate) async fn until_its_end<T, F, Fut>(self, effect: F) -> Result<T, CapabilityError>
    where
        F: FnOnce(Permit<O>) -> Fut + Send,
        Fut: Future<Output = Result<Effect<T>, CapabilityError>> + Send,
    {
        let AdmittedCall { permit, mut audit, .. } = self;
        audit.begin();
        let result = effect(permit).await;
        audit.close(result)
    }
}

impl CallContext {
    /// Whether an effect on the path keeps nobody waiting: it is in memory, or it is in the run directory of the object and
    /// this thread serves one command alone. The agent keeps the object's locks and its journal on that file system and waits
    /// for them on this very thread, so a disk that does not answer keeps the command waiting in any case.
    fn may_act_here(&self, path: &Path) -> bool {
        let serves_one = Handle::try_current().is_ok_and(|here| here.runtime_flavor() == RuntimeFlavor::CurrentThread);
        kernel::files::is_in_memory(path)
            || (serves_one && kernel::files::stays_within(&self.paths().instance.rundir, path))
    }

    async fn in_time<T>(&self, effect: impl Future<Output = Result<T, CapabilityError>>) -> Result<T, CapabilityError> {
        tokio::select! {
            // A result that is there counts, even if the deadline has passed by now.
            biased;
            result = effect => result,
            () = sleep_until(self.deadline()) => Err(CapabilityError::TimedOut),
            () = self.bounds().cancel.cancelled() => Err(CapabilityError::Cancelled),
        }
    }
}
