//! The actions of an instance: start, stop and their kin, their plans, run and sync.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use agent::status::InstanceStatus;
use agent::{ActError, ActionRequest, RequestOrigin};
use anyhow::{Context, anyhow};
use driver::Cancel;
use model::select::{ResourceFilter, ResourceOptions};
use model::{NodeName, ObjectPath};
use plan::Action;
use plan::CopyRequest;
use serde_json::Value;

use crate::command::{ActionArgs, MigrateArgs, OutputFormat, ResourceArgs};
use crate::exit::{self, Failure, Outcome};
use crate::render::structured::{one_or_all, structured};
use crate::session::{Session, ask, complain, print};
use crate::words::Target;

/// What an action is about: the object, its instance on this node, or only its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionScope {
    /// `om web start`: the orchestrator's business, unless options make it local.
    Object,
    /// `om web instance start`, `om web start --local`.
    Instance,
    /// `om web plan start`.
    Plan,
}

/// The places that an action involves beside this node.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActionTarget {
    pub(crate) copying: CopyRequest,
    pub(crate) destination: Option<NodeName>,
}

impl ActionTarget {
    pub(crate) fn copies(copying: CopyRequest) -> ActionTarget {
        ActionTarget { copying, destination: None }
    }
}

/// Moves the instances to another node.
pub(crate) fn migrate(session: &Session, target: &Target, args: &MigrateArgs, scope: ActionScope) -> Outcome {
    let action_args = ActionArgs { options: args.options.clone(), ..ActionArgs::default() };
    let aim = ActionTarget { destination: Some(args.to.clone()), ..ActionTarget::default() };
    run(session, target, Action::Migrate, &action_args, scope, aim)
}

pub(crate) fn run(
    session: &Session,
    target: &Target,
    action: Action,
    args: &ActionArgs,
    scope: ActionScope,
    aim: ActionTarget,
) -> Outcome {
    refuse_unsupported(action, args, is_dry(args, scope))?;
    run_on(session, &session.select_instances(target, action.as_str())?, action, args, scope, aim)
}

/// Whether only the plan is asked for.
fn is_dry(args: &ActionArgs, scope: ActionScope) -> bool {
    args.options.dry_run || scope == ActionScope::Plan
}

/// Acts on these objects, one after the other, and goes on past those that fail.
pub(crate) fn run_on(
    session: &Session,
    paths: &[ObjectPath],
    action: Action,
    args: &ActionArgs,
    scope: ActionScope,
    aim: ActionTarget,
) -> Outcome {
    let format = args.options.output.format;
    let plans = is_dry(args, scope);
    let (mut code, mut values) = (0, Vec::new());
    for path in paths {
        let request = request(session, action, args, aim.clone())?;
        let one = match plans {
            true => show_plan(session, path, &request, format).map(|value| (0, value)),
            false => act(session, path, request, args, scope),
        };
        let next = match one {
            Ok((next, value)) => {
                values.extend(value);
                next
            }
            Err(Failure { code: next, error }) => {
                complain(&format!("{path}: {error:#}"));
                next
            }
        };
        code = exit::worse(code, next);
    }
    structured(format, &one_or_all(paths.len(), values)).iter().for_each(|text| print(text));
    Ok(ExitCode::from(code))
}

/// Refuses what needs other nodes, and to draw what is not a plan.
fn refuse_unsupported(action: Action, args: &ActionArgs, plans: bool) -> Result<(), Failure> {
    if args.options.orchestration.cluster || args.options.orchestration.node.is_some() {
        return Err(Failure::not_supported(&format!("{action} on other nodes, which needs the daemon")));
    }
    if args.options.orchestration.watch {
        return Err(Failure::not_supported("--watch, which needs the daemon"));
    }
    if args.options.output.format == OutputFormat::Dot && !plans {
        return Err(anyhow!("--format dot draws plans: add --dry-run").into());
    }
    Ok(())
}

/// Prints the plan for people, or makes a value of it for programs.
fn show_plan(
    session: &Session,
    path: &ObjectPath,
    request: &ActionRequest,
    format: OutputFormat,
) -> Result<Option<Value>, Failure> {
    let plan = block_on(session.agent.plan(path, request))??;
    if let Some(action) = session.agent.unfinished(path) {
        let text = "it is recovered first, then this plan is recomputed";
        session.note(&format!("{path}: an earlier {action} was interrupted: {text}"));
    }
    match format {
        OutputFormat::Human => print(&plan::render::text(&plan)),
        OutputFormat::Dot => print(&plan::render::dot(&plan)),
        _ => return Ok(Some(serde_json::to_value(plan::render::json(&plan)).context("cannot render the plan")?)),
    }
    Ok(None)
}

/// Acts. Returns the exit code, and for programs the status that it led to.
fn act(
    session: &Session,
    path: &ObjectPath,
    request: ActionRequest,
    args: &ActionArgs,
    scope: ActionScope,
) -> Result<(u8, Option<Value>), Failure> {
    let orchestrated = scope == ActionScope::Object && !args.options.local && request.filter.is_empty();
    if orchestrated {
        let to = request.destination.as_ref().map(|node| format!(" --to {node}")).unwrap_or_default();
        alone(session, path, &format!("{}{to}", request.action))?;
        session.note(&format!("{path}: no daemon is running, and this is its only node: acting here"));
    }
    if request.action == Action::Unprovision && !args.confirm {
        confirm(path)?;
    }
    let (action, filter) = (request.action, request.filter.clone());
    let cancel = Cancel::default();
    let acted = block_on(async {
        tokio::spawn(cancel_on_signal(cancel.clone()));
        session.agent.act(path, request, Some(session.console()), cancel.clone()).await
    })??;
    if acted.report.ending == exec::ActionEnding::Done {
        if orchestrated {
            session.follow_up(path, action)?;
        }
        if !acted.report.changed() {
            let left_out = left_out(&acted.instance, &filter);
            session.note(&format!("{path}: nothing to do, instance status is {}{left_out}", acted.instance.sums.avail));
        }
    }
    let value = args.options.output.format.is_structured().then(|| crate::render::status::value(&acted.instance));
    Ok((exit::of_ending(&acted.report.ending), value))
}

/// Why nothing was done with resources that somebody may have meant.
fn left_out(instance: &InstanceStatus, filter: &ResourceFilter) -> String {
    let selected = filter.select(&instance.resources).unwrap_or_default();
    let disabled = selected.iter().filter(|seen| seen.flags.disabled).map(|seen| seen.rid.to_string());
    match disabled.collect::<Vec<_>>() {
        none if none.is_empty() => String::new(),
        rids => format!(" (disabled: {})", rids.join(" ")),
    }
}

/// Without a daemon, an orchestrated action is possible only where there is nothing to orchestrate.
pub(crate) fn alone(session: &Session, path: &ObjectPath, action: &str) -> Result<(), Failure> {
    let configuration = session.agent.configuration(path)?;
    let object = configuration.object().map_err(ActError::from)?;
    let (here, others): (Vec<_>, Vec<_>) =
        object.nodes.iter().chain(&object.drpnodes).partition(|node| **node == object.node);
    let others = others.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    if here.is_empty() {
        let node = object.node.to_string();
        return Err(ActError::NotHere { object: path.clone(), node, nodes: others }.into());
    }
    if others.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{path} also runs on {others}, and no daemon is running here: act on this instance alone with \
         om {path} instance {action}"
    );
    Err(Failure::new(exit::FAILED, text))
}

/// Destroying data takes a yes from whoever sits at a terminal. A script has said it by naming the action.
fn confirm(path: &ObjectPath) -> Result<(), Failure> {
    use std::io::{BufRead, IsTerminal};
    if !std::io::stdin().is_terminal() {
        return Ok(());
    }
    ask(&format!("{path}: unprovision destroys its data. Go on? [y/N] "));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(anyhow!("not confirmed: nothing was touched (--confirm confirms in advance)").into()),
    }
}

fn request(session: &Session, action: Action, args: &ActionArgs, aim: ActionTarget) -> Result<ActionRequest, Failure> {
    let wait = (!args.options.no_lock).then(|| args.options.waitlock.unwrap_or_default());
    let pair = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| anyhow!("--env {text}: expected NAME=VALUE"))
    };
    Ok(ActionRequest {
        action,
        filter: args.resources.filter()?,
        to: args.resources.to.as_ref().map(|to| to.parse()).transpose().map_err(anyhow::Error::from)?,
        force: args.force,
        disable_rollback: args.disable_rollback,
        confirm: args.confirm,
        if_plan: args.options.if_plan.clone(),
        parallel: args.options.parallel.map(NonZeroUsize::get),
        wait,
        env: args.options.env.iter().map(pair).collect::<Result<_, _>>()?,
        copying: aim.copying,
        destination: aim.destination,
        command: session.typed.clone(),
        origin: RequestOrigin::User,
    })
}

impl ResourceArgs {
    /// As the model reads the options: what was given several times is a list.
    pub(crate) fn filter(&self) -> Result<ResourceFilter, Failure> {
        let joined = |list: &[String]| (!list.is_empty()).then(|| list.join(","));
        let (rid, tags, subsets) = (joined(&self.rid), joined(&self.tags), joined(&self.subsets));
        let options = ResourceOptions {
            within: self.within.as_deref(),
            rid: rid.as_deref(),
            tags: tags.as_deref(),
            subsets: subsets.as_deref(),
        };
        Ok(ResourceFilter::new(options).map_err(anyhow::Error::from)?)
    }
}

/// The first signal asks everybody to come to an end, and what was changed is undone. A second one changes nothing.
async fn cancel_on_signal(cancel: Cancel) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    cancel.cancel();
}

/// Runs one piece of asynchronous work to its end. Commands that need none pay for none.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("cannot start the asynchronous runtime")?;
    let result = runtime.block_on(work);
    // A kernel call that does not come back must not keep the command from ending.
    runtime.shutdown_background();
    Ok(result)
}
