//! One call of a driver: its grants bound to the resource's keywords, a call of the guest, and the answer as the agent reads it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bindings::driver::exports::hostler::driver::lifecycle::Guest;
use bindings::driver::hostler::driver::types as wit;
use capability::{CallContext, CallInputs, ContextSetup, GrantTemplates, Subject};
use driver::{
    ActionError, ActionReport, CallBounds, Change, DriverCall, DriverFault, KeywordProblem, LogSeverity, LogSink, Verb,
};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::environment::DriverCallNote;
use super::sandboxed::SandboxedDriver;
use super::{answer, remedy};
use crate::sandbox::{GuestCall, GuestInstance, GuestState};

/// No call takes longer, whatever its bounds say: a deadline must stay within what a clock can hold.
const FOREVER: Duration = Duration::from_secs(365 * 86400);

/// What the driver is called for.
pub(super) struct CallSetup<'a> {
    verb: Verb,
    /// The command that an operator wants run, in [`Verb::Exec`].
    argv: &'a [String],
    call: &'a DriverCall,
    bounds: &'a CallBounds,
    log: Arc<dyn LogSink>,
}

impl<'a> CallSetup<'a> {
    pub(super) fn new(
        verb: Verb,
        call: &'a DriverCall,
        bounds: &'a CallBounds,
        log: Arc<dyn LogSink>,
    ) -> CallSetup<'a> {
        CallSetup { verb, argv: &[], call, bounds, log }
    }

    pub(super) fn with_argv(self, argv: &'a [String]) -> CallSetup<'a> {
        CallSetup { argv, ..self }
    }
}

/// A driver's running instance, lent to the closure that calls one of its exports.
pub(super) struct DriverInstance<'a> {
    pub(super) store: &'a mut Store<GuestState>,
    pub(super) instance: Instance,
    pub(super) lifecycle: &'a Guest,
    pub(super) context: wit::ResourceContext,
}

/// What a call of a driver came to.
pub(super) struct DriverAnswer<T> {
    pub(super) result: Result<T, ActionError>,
    change: Change,
    /// None if the call was refused before there was one.
    pub(super) scope: Option<Arc<CallContext>>,
}

impl<T> DriverAnswer<T> {
    /// The driver was not called.
    fn refused(error: ActionError) -> DriverAnswer<T> {
        DriverAnswer { result: Err(error), change: Change::Unchanged, scope: None }
    }
}

impl DriverAnswer<wit::Outcome> {
    /// The report of an action.
    pub(super) fn report(self) -> ActionReport {
        let DriverAnswer { result, change, scope } = self;
        let result = result.map(|outcome| {
            // The host has counted the changes, and its count is the one that is reported.
            if let Some(scope) = scope.filter(|_| change == Change::Changed && !outcome.changed) {
                scope.say(LogSeverity::Warn, "the driver says that it changed nothing, but it did");
            }
            outcome.text
        });
        ActionReport { change, result }
    }
}

impl SandboxedDriver {
    /// One call in a fresh store. `export` makes the call; it returns the driver's own answer, or the error that stopped it.
    pub(super) async fn call<T, F>(&self, setup: CallSetup<'_>, export: F) -> DriverAnswer<T>
    where
        F: AsyncFnOnce(DriverInstance<'_>) -> wasmtime::Result<Result<T, wit::ActionError>>,
    {
        let (call, verb, began) = (setup.call, setup.verb, Instant::now());
        let answer = self.make_call(setup, export).await;
        let changed = match answer.change {
            Change::Changed => "yes",
            Change::Unchanged => "no",
            Change::Unknown => "unknown",
        };
        let end = answer.result.as_ref().map(drop);
        self.environment.node.called(&DriverCallNote { call, verb, end, changed, took: began.elapsed() });
        answer
    }

    async fn make_call<T, F>(&self, setup: CallSetup<'_>, export: F) -> DriverAnswer<T>
    where
        F: AsyncFnOnce(DriverInstance<'_>) -> wasmtime::Result<Result<T, wit::ActionError>>,
    {
        let about = setup.call;
        let DriverCall { object, rid, .. } = about;
        // Before the guest runs: its kernel calls would all be refused until the stuck one returns.
        // A stop may be what frees it: what it holds is released beside the call that is stuck.
        let stuck = self.environment.host.queues.stuck(object, rid).filter(|_| setup.verb != Verb::Stop);
        if let Some(stuck) = stuck {
            return DriverAnswer::refused(DriverFault::Stuck(stuck.to_string()).into());
        }
        let scope = match self.scope(setup) {
            Ok(scope) => Arc::new(scope),
            Err(error) => return DriverAnswer::refused(error),
        };
        let call = GuestCall { component: &self.component, scope: &scope, limits: self.limits };
        let export = async |GuestInstance { store, instance }: GuestInstance<'_>| {
            let exports = self.exports.load(&mut *store, &instance)?;
            let context = answer::context(about, scope.bounds().deadline);
            export(DriverInstance { store, instance, lifecycle: exports.hostler_driver_lifecycle(), context }).await
        };
        let outcome = self.environment.sandbox.call(call, export).await;
        let result = match outcome.result {
            Ok(answer) => answer.map_err(|error| self.explain(&scope, answer::action_error(error))),
            Err(cut_short) => Err(cut_short.into()),
        };
        DriverAnswer { result, change: outcome.change, scope: Some(scope) }
    }

    /// The error that is reported for one that the driver answered. The contract has no word for a cancellation or a deadline,
    /// so the host adds what it knows of both.
    fn explain(&self, scope: &CallContext, error: ActionError) -> ActionError {
        match error {
            // Even if the action was given up: the missing grant is what the operator can do something about.
            ActionError::NeedsGrant { line, .. } => self.refusal(scope, line),
            error if scope.bounds().cancel.is_cancelled() => {
                // The driver's own words go to the log: the report says only that the action was given up.
                scope.say(LogSeverity::Info, &error.to_string());
                ActionError::Cancelled
            }
            // The driver saw a program fail, and cannot know that the host killed it because time was up.
            ActionError::Retryable(text) if scope.has_killed() || scope.is_overdue() => ActionError::TimedOut(text),
            ActionError::Failed(text) if scope.is_overdue() => ActionError::TimedOut(text),
            error => error,
        }
    }

    /// A refusal that names its remedy.
    pub(super) fn refusal(&self, scope: &CallContext, line: String) -> ActionError {
        let (driver, namespace) = (&self.manifest.name, scope.subject().object.namespace());
        let refuser = scope.refuser(&line).unwrap_or(grant::Refuser::Driver);
        let refused = remedy::RefusedCall {
            driver,
            trust: self.trust,
            namespace,
            policy: &self.environment.node.namespace_policy_file(namespace),
            verb: scope.verb(),
            digest: &self.digest,
            suggestion: scope.suggested_request(&line),
        };
        let remedy = remedy::remedy(&refused, &refuser, &line);
        ActionError::NeedsGrant { line, way_out: remedy }
    }

    /// What this driver may do for this resource, now that its keywords are known, and how long.
    fn scope(&self, setup: CallSetup<'_>) -> Result<CallContext, ActionError> {
        let CallSetup { verb, argv, call, bounds, log } = setup;
        let paths = self.environment.node.paths(call);
        let context = Self::grant_context(call, &paths);
        let grants = self.bound(call, &context)?;
        if verb.mutates() && self.keeps_files {
            // Before the driver's first chance to write what would pass for a record of an earlier version.
            match capability::state::settle(&paths.record, &call.rid) {
                Err(error) if paths.record.before.exists() => return Err(ActionError::Failed(error.to_string())),
                // A full disk has no room for it, nor for what a driver would write there.
                _ => {}
            }
            // A driver that keeps files there counts on the directory. If it cannot be made, the driver's call says why.
            let _ = std::fs::create_dir_all(&paths.statedir);
        }
        let deadline = bounds.deadline.min(self.limits.wall).min(FOREVER);
        Ok(CallContext::new(ContextSetup {
            subject: Arc::new(Subject::from(call)),
            verb,
            sid: call.sid.clone(),
            digest: Arc::clone(&self.digest),
            inputs: CallInputs { argv: argv.to_vec(), ..CallInputs::from(call) },
            bounds: CallBounds { deadline, cancel: bounds.cancel.clone() },
            grants,
            templates: Some(GrantTemplates { requests: self.requests.clone(), trust: self.trust, context }),
            paths,
            output_budget: self.limits.output,
            log,
            services: self.environment.host.clone(),
        }))
    }

    /// The driver's requests, bound to this resource and cut down to what the policies of its site and namespace allow.
    pub(super) fn grants(
        &self,
        call: &DriverCall,
        paths: &capability::ResourcePaths,
    ) -> Result<grant::Grants, ActionError> {
        self.bound(call, &Self::grant_context(call, paths))
    }

    fn grant_context(call: &DriverCall, paths: &capability::ResourcePaths) -> grant::GrantContext {
        grant::GrantContext {
            object: call.object.clone(),
            rid: call.rid.clone(),
            node: call.node.clone(),
            rundir: paths.instance.rundir.clone(),
            statedir: paths.statedir.clone(),
            config: paths.instance.config.clone(),
            peers: call.peers.clone(),
        }
    }

    /// The keyword whose value cannot stand where a request of the driver puts it, such as a path that is not one.
    pub(super) fn unfit(&self, call: &DriverCall) -> Option<KeywordProblem> {
        let paths = self.environment.node.paths(call);
        let error = self.bind(call, &Self::grant_context(call, &paths)).ok()?.err()?;
        Some(KeywordProblem { text: format!("{:?}: {}", error.value, error.reason), keyword: error.keyword })
    }

    fn bound(&self, call: &DriverCall, context: &grant::GrantContext) -> Result<grant::Grants, ActionError> {
        // Requests are the business of the driver's author, and a value is that of the user who reads this.
        let unfit = |error: grant::BindError| format!("{} = {:?}: {}", error.keyword, error.value, error.reason);
        let bound = self.bind(call, context)?;
        let mut grants = bound.map_err(|error| ActionError::InvalidConfig(unfit(error)))?;
        // A policy denies a place by one name. Where that name leads is looked up for each call, as links change.
        grants.follow_denials(&capability::denied_place);
        Ok(grants)
    }

    fn bind(
        &self,
        call: &DriverCall,
        context: &grant::GrantContext,
    ) -> Result<Result<grant::Grants, grant::BindError>, ActionError> {
        let namespace = self.environment.node.namespace_policy(call.object.namespace()).map_err(ActionError::Failed)?;
        let keywords: Vec<grant::GrantKeyword<'_>> = call
            .keywords
            .iter()
            .map(|k| grant::GrantKeyword { name: &k.name, values: &k.values, provenance: &k.provenance })
            .collect();
        // Whichever resource a reference names: resources of one object may pass a device on, as a volume group does.
        let ledger = |_: &model::Rid, device: &str| self.environment.host.owners.gave_any(&call.object, device);
        Ok(grant::Grants::bind(&self.requests, context, &keywords, &ledger, &self.policy, &namespace))
    }
}
