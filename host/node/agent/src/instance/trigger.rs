//! Triggers: commands of the configuration that run around an action, outside of any sandbox, with the agent's own powers.
//! In the root namespace everyone who may edit an object may set them; elsewhere the namespace's policy decides.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capability::CgroupSlice;
use capability::holdings::Ledger;
use capability::process::{PATH, ProgramFacts, TriggerLeftovers, account_variables};
use driver::{CallBounds, LogSeverity, LogSink};
use exec::FacilityError;
use kernel::process::{CapabilityBounds, CheckedProgram, ProgramLaunch, RunError};
use model::{NodeName, ObjectPath, Rid};

use exec::blocking;

/// The resource and the action around which a trigger runs.
pub(crate) struct TriggerContext<'a> {
    pub(crate) object: &'a ObjectPath,
    pub(crate) node: &'a NodeName,
    pub(crate) rid: &'a Rid,
    pub(crate) action: &'a str,
    pub(crate) sid: &'a str,
    /// `-e NAME=VALUE` of the command line.
    pub(crate) env: &'a [(String, String)],
    /// The subject of the policy of the namespace.
    pub(crate) context: &'a grant::GrantContext,
    /// The policy of the namespace.
    pub(crate) namespace: &'a grant::Policy,
    /// Where it is recorded what the trigger leaves running.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) slice: Arc<CgroupSlice>,
}

impl TriggerContext<'_> {
    /// Records that the trigger may leave something running.
    async fn leftovers(&self) -> Result<TriggerLeftovers, FacilityError> {
        let (ledger, slice, statedir) = (self.ledger.clone(), self.slice.clone(), self.context.statedir.clone());
        let (object, rid) = (self.object.clone(), self.rid.clone());
        let noted =
            blocking(move || TriggerLeftovers::before(ledger, slice.directory(), (&object, &rid), &statedir)).await;
        noted.map_err(|error| FacilityError::failed(error.to_string()))
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
    let program = PathBuf::from(program);
    // The program as it was found, so that a policy cannot be passed by another PATH.
    permitted(&program, args, around)?;
    let opened = blocking(move || CheckedProgram::open(&program, None)).await;
    let program = opened.map_err(|error| FacilityError::failed(error.to_string()))?;
    // Before the program runs: if this process dies meanwhile, the ledger still leads a stop to what the program left.
    let leftovers = around.leftovers().await?;
    let mut env = environment(around);
    env.extend(leftovers.variable().map(|(name, value)| (name, value.into())));
    let launch = ProgramLaunch { cgroup: leftovers.group(), ..launch(program, args, env) };
    log.line(Some(around.rid), LogSeverity::Info, &format!("run: {}", capability::process::as_typed(command)));
    let mut on_line = |line: &str| log.line(Some(around.rid), LogSeverity::Info, &format!("| {line}"));
    let ran = kernel::process::run(launch, &[], bounds.deadline, &mut on_line).await;
    if let Some(text) = leftovers.after(matches!(ran, Err(RunError::TimedOut(_)))).await {
        log.line(Some(around.rid), LogSeverity::Warn, &text);
    }
    match ran {
        Ok(output) if output.status == 0 => Ok(()),
        Ok(output) => Err(FacilityError::failed(format!("exit status {}", output.status))),
        Err(RunError::TimedOut(_)) => Err(FacilityError::TimedOut(bounds.deadline)),
        Err(RunError::Kernel(error)) => Err(FacilityError::failed(error.to_string())),
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

/// A trigger has all the power of the agent, and everyone who may edit the object may write it. So outside the root namespace
/// the namespace's policy must allow the exact command.
fn permitted(program: &Path, args: &[String], around: &TriggerContext<'_>) -> Result<(), FacilityError> {
    let words: Vec<String> = std::iter::once(program.display().to_string()).chain(args.iter().cloned()).collect();
    let command = grant::GrantKeyword::written("command", &words);
    let request = "exec(caps=all) = {command:command}".parse::<grant::GrantRequest>();
    // The site has no say: the namespace's policy alone decides what its objects may make this node do.
    let bound = grant::Grants::bind(
        &[request.map_err(|error| FacilityError::failed(error.to_string()))?],
        around.context,
        &[command],
        &grant::NoDeviceLedger,
        &grant::Policy::everything(),
        around.namespace,
    );
    let exec = grant::op::RunProgram { program: program.to_owned(), args: args.to_vec(), ..Default::default() };
    let grants = bound.map_err(|error| FacilityError::failed(error.to_string()))?;
    grants.permit(exec, grant::Access::Mutate).map(drop).map_err(|denied| {
        let policy = format!("etc/namespaces/{}/policy", around.object.namespace());
        FacilityError::failed(format!(
            "denied: a trigger runs outside of any sandbox: allow {} in {policy}",
            denied.line
        ))
    })
}

/// The environment of a trigger.
fn environment(around: &TriggerContext<'_>) -> Vec<(String, OsString)> {
    let TriggerContext { object, rid, action, node, sid, .. } = *around;
    let mut environment = account_variables(None);
    let asked = around.env.iter().map(|(name, value)| (name.clone(), OsString::from(value)));
    // Later ones replace earlier ones: no value of the command line can stand in for a fact.
    for (name, value) in asked.chain(ProgramFacts { object, rid, action, node, sid }.variables()) {
        environment.retain(|(other, _)| *other != name);
        environment.push((name, value));
    }
    environment
}
