//! Triggers: commands of the configuration that run around an action, outside of any sandbox, with the agent's own powers.
//! In the root namespace everyone who may edit an object may set them; elsewhere the namespace's policy decides.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capability::holdings::Ledger;
use capability::process::{PATH, ProcessCommand, ProgramFacts, TriggerLeftovers, account_variables};
use capability::{
    CallContext, CallInputs, CapabilityError, ContextSetup, HostServices, OUTPUT_BUDGET, ResourcePaths, Subject,
};
use driver::{CallBounds, LogSeverity, LogSink, Verb};
use exec::FacilityError;
use kernel::process::{CapabilityBounds, CheckedProgram, ProgramLaunch, RunError};
use model::object::Resource;
use model::{NodeName, ObjectPath};

use exec::blocking;

/// The resource and the action around which a trigger runs.
pub(crate) struct TriggerContext<'a> {
    pub(crate) object: &'a ObjectPath,
    pub(crate) node: &'a NodeName,
    pub(crate) resource: &'a Resource,
    /// The keyword that sets it.
    pub(crate) name: &'a str,
    pub(crate) action: &'a str,
    /// The verb around which it runs.
    pub(crate) verb: Verb,
    pub(crate) sid: &'a str,
    /// `-e NAME=VALUE` of the command line.
    pub(crate) env: &'a [(String, String)],
    /// The subject of the policy of the namespace.
    pub(crate) context: &'a grant::GrantContext,
    /// The policy of the namespace.
    pub(crate) namespace: &'a grant::Policy,
    /// Where it is recorded what the trigger leaves running.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) paths: ResourcePaths,
    pub(crate) services: Arc<HostServices>,
}

impl TriggerContext<'_> {
    /// Records that the trigger may leave something running.
    async fn leftovers(&self) -> Result<TriggerLeftovers, CapabilityError> {
        let (ledger, slice) = (self.ledger.clone(), Arc::clone(&self.paths.instance.slice));
        let (object, rid) = (self.object.clone(), self.resource.rid.clone());
        let statedir = self.paths.statedir.clone();
        blocking(move || TriggerLeftovers::before(ledger, slice.directory(), (&object, &rid), &statedir)).await
    }

    /// The context in which the command is judged and recorded. A trigger has all the power of the agent, and everyone who may edit the
    /// object may write it. So outside the root namespace the namespace's policy must allow the exact command.
    fn call(
        &self,
        words: &[String],
        bounds: &CallBounds,
        log: &Arc<dyn LogSink>,
    ) -> Result<CallContext, FacilityError> {
        let command = grant::GrantKeyword::written("command", words);
        let request = "exec(caps=all) = {command:command}".parse::<grant::GrantRequest>();
        // The site has no say: the namespace's policy alone decides what its objects may make this node do.
        let bound = grant::Grants::bind(
            &[request.map_err(|error| FacilityError::failed(error.to_string()))?],
            self.context,
            &[command],
            &grant::NoDeviceLedger,
            &grant::Policy::everything(),
            self.namespace,
        );
        let mut grants = bound.map_err(|error| FacilityError::failed(error.to_string()))?;
        grants.follow_denials(&capability::denied_place);
        let subject = Subject {
            object: self.object.clone(),
            rid: self.resource.rid.clone(),
            driver: self.resource.driver.clone(),
            node: self.node.clone(),
        };
        Ok(CallContext::of_trigger(ContextSetup {
            subject: Arc::new(subject),
            verb: self.verb,
            sid: self.sid.to_owned(),
            digest: Arc::from(""),
            inputs: CallInputs::default(),
            bounds: bounds.clone(),
            grants,
            templates: None,
            paths: self.paths.clone(),
            output_budget: OUTPUT_BUDGET,
            log: Arc::clone(log),
            services: Arc::clone(&self.services),
        }))
    }

    /// A refusal that names what would allow the command.
    fn refusal(&self, line: &str) -> FacilityError {
        if !line.starts_with("exec") {
            return FacilityError::failed(format!("denied: {line}"));
        }
        let policy = format!("etc/namespaces/{}/policy", self.object.namespace());
        FacilityError::failed(format!("denied: a trigger runs outside of any sandbox: allow {line} in {policy}"))
    }
}

/// Runs a command until it exits. Any exit status but 0 is a failure. What it leaves running is held by the resource.
pub(crate) async fn run(
    command: &[String],
    around: &TriggerContext<'_>,
    bounds: &CallBounds,
    log: &Arc<dyn LogSink>,
) -> Result<(), FacilityError> {
    if bounds.cancel.is_cancelled() {
        return Err(FacilityError::failed("interrupted"));
    }
    let (program, args) = command.split_first().ok_or_else(|| FacilityError::failed("the command is empty"))?;
    let mut program = program.clone();
    let program = blocking(move || {
        with_path(&mut program);
        program
    })
    .await;
    if !program.starts_with('/') {
        return Err(FacilityError::failed(format!("there is no program {program} in {PATH}")));
    }
    // The program as it was found, so that a policy cannot be passed by another PATH.
    let words: Vec<String> = std::iter::once(program.clone()).chain(args.iter().cloned()).collect();
    let call = around.call(&words, bounds, log)?;
    let env = around.env.to_vec();
    let judged = ProcessCommand { program, args: args.to_vec(), env, ..ProcessCommand::default() };
    let rid = &around.resource.rid;
    let ran = capability::process::run_trigger(&call, around.name, judged, |program| async move {
        // Before the program runs: if this process dies meanwhile, the ledger still leads a stop to what the program left.
        let leftovers = around.leftovers().await?;
        let mut env = environment(around);
        env.extend(leftovers.variable().map(|(name, value)| (name, value.into())));
        let launch = ProgramLaunch { cgroup: leftovers.group(), ..launch(program, args, env) };
        log.line(Some(rid), LogSeverity::Info, &format!("run: {}", capability::process::as_typed(command)));
        let mut on_line = |line: &str| log.line(Some(rid), LogSeverity::Info, &format!("| {line}"));
        let ran = kernel::process::run(launch, &[], bounds.deadline, &mut on_line).await;
        if let Some(text) = leftovers.after(matches!(ran, Err(RunError::TimedOut(_)))).await {
            log.line(Some(rid), LogSeverity::Warn, &text);
        }
        match ran {
            Err(RunError::Kernel(error)) => Err(error.into()),
            Err(RunError::TimedOut(_)) => Ok(None),
            Ok(output) => Ok(Some(output.status)),
        }
    });
    match ran.await {
        Ok(Some(0)) => Ok(()),
        Ok(Some(status)) => Err(FacilityError::failed(format!("exit status {status}"))),
        Ok(None) | Err(CapabilityError::TimedOut) => Err(FacilityError::TimedOut(bounds.deadline)),
        Err(CapabilityError::Denied(line)) => Err(around.refusal(&line)),
        Err(error) => Err(FacilityError::failed(error.to_string())),
    }
}

/// A command of the site: with all the powers of the agent, and outside the control group of any resource, where its driver looks.
pub(crate) fn launch(program: CheckedProgram, args: &[String], env: Vec<(String, OsString)>) -> ProgramLaunch {
    ProgramLaunch {
        program,
        args: args.to_vec(),
        env,
        cwd: PathBuf::from("/"),
        account: None,
        umask: 0o022,
        limits: Vec::new(),
        bounds: CapabilityBounds::Unbounded,
        cgroup: None,
        files: None,
    }
}

/// Searches a program without a `/` where a shell would. A program that is not found stays as it is.
pub(crate) fn with_path(program: &mut String) {
    if program.contains('/') {
        return;
    }
    let found =
        PATH.split(':').map(|directory| format!("{directory}/{program}")).find(|path| Path::new(path).is_file());
    if let Some(found) = found {
        *program = found;
    }
}

/// The environment of a trigger.
fn environment(around: &TriggerContext<'_>) -> Vec<(String, OsString)> {
    let TriggerContext { object, resource, action, node, sid, .. } = *around;
    let rid = &resource.rid;
    let mut environment = account_variables(None);
    let asked = around.env.iter().map(|(name, value)| (name.clone(), OsString::from(value)));
    // Later ones replace earlier ones: no value of the command line can stand in for a fact.
    for (name, value) in asked.chain(ProgramFacts { object, rid, action, node, sid }.variables()) {
        environment.retain(|(other, _)| *other != name);
        environment.push((name, value));
    }
    environment
}
