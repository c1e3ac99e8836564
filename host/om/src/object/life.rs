//! The actions of an instance: start, stop and the others that have a plan.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::anyhow;
use model::{NodeName, ObjectPath};
use protocol::daemon::OrderCommand;
use protocol::{ActionOrder, CopyOrder, EndingDocument, InstanceDocument, ResourceSelection};
use serde_json::Value;

use crate::backend::RemoteDaemon;
use crate::command::{ActionArgs, MigrateArgs, OutputFormat, ResourceArgs};
use crate::exit::{self, Failure, Outcome};
use crate::object::order::{self, OrderWish};
use crate::render::status::published;
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::{complain, confirms, is_interactive, print, warn};
use crate::words::Target;

/// The scope of an action: the object, its instance on this node, or only its plan.
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
    pub(crate) copy: CopyOrder,
    pub(crate) destination: Option<NodeName>,
}

/// Moves the instances to another node.
pub(crate) fn migrate(session: &Session, target: &Target, args: &MigrateArgs, scope: ActionScope) -> Outcome {
    let action_args = ActionArgs { options: args.options.clone(), ..ActionArgs::default() };
    let aim = ActionTarget { destination: Some(args.to.clone()), ..ActionTarget::default() };
    run(session, target, "migrate", &action_args, scope, aim)
}

pub(crate) fn run(
    session: &Session,
    target: &Target,
    action: &str,
    args: &ActionArgs,
    scope: ActionScope,
    aim: ActionTarget,
) -> Outcome {
    refuse_unsupported(args, is_dry(args, scope))?;
    run_on(session, &session.select_instances(target, action)?, action, args, scope, aim)
}

/// The order that an action on whole objects is, if a daemon runs that carries it out.
fn ordered(
    session: &Session,
    action: &str,
    args: &ActionArgs,
    scope: ActionScope,
) -> Result<Option<(RemoteDaemon, OrderCommand)>, Failure> {
    let Some(verb) = order::of_action(action).filter(|_| is_whole(args, scope)) else { return Ok(None) };
    Ok(session.running_daemon()?.map(|daemon| (daemon, verb)))
}

/// Whether the whole object is meant, wherever it runs.
pub(super) fn is_whole(args: &ActionArgs, scope: ActionScope) -> bool {
    scope == ActionScope::Object && !args.options.local && args.resources.selects_all() && !is_dry(args, scope)
}

/// Orders the action of the daemon.
fn order_all(
    session: &Session,
    (daemon, verb): (RemoteDaemon, OrderCommand),
    paths: &[ObjectPath],
    args: &ActionArgs,
) -> Outcome {
    let forced = args.force.then_some("--force");
    if let Some(option) = args.local_option().or(forced) {
        return Err(refuse_local_option(option));
    }
    if verb == OrderCommand::Unprovision && !args.confirm {
        paths.iter().try_for_each(confirm)?;
    }
    let follow = &args.options.orchestration.follow;
    order::order(
        session,
        &daemon,
        paths,
        &OrderWish { word: order::word(&verb), verb, force: false, follow, format: args.options.output.format },
    )
}

/// The refusal of an option that only an action in this process can follow.
pub(super) fn refuse_local_option(option: &str) -> Failure {
    Failure::failed(format!("{option} has no effect on an order to the daemon: add --local to act here, beside it"))
}

/// Acts on these objects, one after the other, and goes on past those that fail.
pub(crate) fn run_on(
    session: &Session,
    paths: &[ObjectPath],
    action: &str,
    args: &ActionArgs,
    scope: ActionScope,
    aim: ActionTarget,
) -> Outcome {
    if let Some(ordered) = ordered(session, action, args, scope)? {
        return order_all(session, ordered, paths, args);
    }
    order::refuse_watch(&args.options.orchestration.follow)?;
    let format = args.options.output.format;
    let order = action_order(session, action, args, aim)?;
    let (mut code, mut values) = (0, Vec::new());
    for (at, path) in paths.iter().enumerate() {
        // Ctrl-C means the whole command, and not the object that happens to be at work.
        if session.backend.is_interrupted() {
            warn(&format!(
                "interrupted: {} of {} objects were left as they were, from {path} on",
                paths.len() - at,
                paths.len()
            ));
            code = exit::worse(code, exit::INTERRUPTED);
            break;
        }
        let one = match is_dry(args, scope) {
            true => show_plan(session, path, &order, format).map(|value| (0, value)),
            false => act(session, path, &order, args, scope),
        };
        let next = match one {
            Ok((next, value)) => {
                values.extend(value);
                next
            }
            Err(Failure { kind, error }) => {
                // An error need not name the object, and there may be several objects.
                complain(&format!("{path}: {error:#}"));
                exit::of_failure(kind)
            }
        };
        code = exit::worse(code, next);
    }
    // For programs, several results are one document. People have seen theirs by now.
    structured(format, &one_or_all(paths.len(), values)).iter().for_each(|text| print(text));
    Ok(ExitCode::from(code))
}

/// Whether only the plan is asked for.
fn is_dry(args: &ActionArgs, scope: ActionScope) -> bool {
    args.options.dry_run || scope == ActionScope::Plan
}

/// Refuses to draw what is not a plan.
fn refuse_unsupported(args: &ActionArgs, plans: bool) -> Result<(), Failure> {
    if args.options.output.format == OutputFormat::Dot && !plans {
        return Err(anyhow!("--format dot draws plans: add --dry-run").into());
    }
    Ok(())
}

/// Prints the plan for people, or makes a value of it for programs.
fn show_plan(
    session: &Session,
    path: &ObjectPath,
    order: &ActionOrder,
    format: OutputFormat,
) -> Result<Option<Value>, Failure> {
    let plan = session.backend.plan(path, order)?;
    if let Some(action) = plan.interrupted {
        let text = "it is recovered first, then this plan is recomputed";
        session.note(&format!("{path}: an earlier {action} was interrupted: {text}"));
    }
    match format {
        OutputFormat::Human => print(&plan.text),
        OutputFormat::Dot => print(&plan.dot),
        _ => return Ok(Some(plan.document)),
    }
    Ok(None)
}

/// Acts. Returns the exit code, and for programs the status after the action.
fn act(
    session: &Session,
    path: &ObjectPath,
    order: &ActionOrder,
    args: &ActionArgs,
    scope: ActionScope,
) -> Result<(u8, Option<Value>), Failure> {
    // A selection of resources cannot be orchestrated: it is always about this instance.
    let orchestrated = scope == ActionScope::Object && !args.options.local && order.resources.is_all();
    if orchestrated {
        // The message names the command that would act here, so it must be complete.
        let to = order.destination.as_ref().map(|node| format!(" --to {node}")).unwrap_or_default();
        alone(session, path, &format!("{}{to}", order.action))?;
        let why = match order::of_action(&order.action) {
            Some(_) => "no daemon is running, and this is its only node",
            None => "this is its only node",
        };
        session.note(&format!("{path}: {why}: acting here"));
    }
    // After the checks above: the operator should not confirm what is then refused.
    if order.action == "unprovision" && !args.confirm {
        confirm(path)?;
    }
    let order = ActionOrder { orchestrated, ..order.clone() };
    let report = session.backend.act(path, &order, session.log_lines())?;
    // Not failures: the action has succeeded, but for example could not freeze the instance afterwards.
    report.warnings.iter().for_each(|warning| warn(warning));
    if report.ending == EndingDocument::Done && !report.changed {
        let left_out = left_out(&report.instance, &order.resources);
        session.note(&format!("{path}: nothing to do, instance status is {}{left_out}", report.instance.avail));
    }
    let code = exit::of_ending(&report.ending);
    Ok((code, args.options.output.format.is_structured().then(|| published(report.instance))))
}

/// The selected resources that were left alone because they are disabled: the operator may have meant them.
fn left_out(instance: &InstanceDocument, resources: &ResourceSelection) -> String {
    // The filter was checked before the action. That it selects nothing now is not worth an error.
    let selected = resources.filter().ok().and_then(|filter| filter.select(&instance.resources).ok());
    let selected = selected.unwrap_or_default().into_iter();
    let disabled: Vec<String> = selected.filter(|one| one.disable).map(|one| one.rid.to_string()).collect();
    match disabled.is_empty() {
        true => String::new(),
        false => format!(" (disabled: {})", disabled.join(" ")),
    }
}

/// What no daemon orchestrates is possible only where there is nothing to orchestrate.
pub(crate) fn alone(session: &Session, path: &ObjectPath, action: &str) -> Result<(), Failure> {
    let peers = session.backend.peers(path)?;
    if peers.is_empty() {
        return Ok(());
    }
    let peers = peers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Err(Failure::failed(format!(
        "{path} also runs on {peers}, and no daemon is running here: act on this instance alone with \
         om {path} instance {action}, or start the daemon: om daemon start"
    )))
}

/// An operator must confirm that data is destroyed: at the terminal, or with --confirm where a script acts.
pub(crate) fn confirm(path: &ObjectPath) -> Result<(), Failure> {
    if !is_interactive() {
        let text =
            format!("this destroys the data of {path}, and standard input is not a terminal: --confirm confirms it");
        return Err(Failure::failed(text));
    }
    if confirms(&format!("unprovision destroys the data of {path}. Continue?"))? {
        return Ok(());
    }
    Err(Failure::failed("not confirmed: nothing was touched (--confirm confirms in advance)"))
}

fn action_order(session: &Session, action: &str, args: &ActionArgs, aim: ActionTarget) -> Result<ActionOrder, Failure> {
    // None means to act beside another action, zero not to wait for it.
    let wait = (!args.options.no_lock).then(|| args.options.waitlock.unwrap_or_default());
    let pair = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| anyhow!("--env {text}: expected NAME=VALUE"))
    };
    let resources = args.resources.selection();
    // What cannot be read is reported once, not once for each object.
    resources.filter().map_err(anyhow::Error::from)?;
    Ok(ActionOrder {
        action: action.to_owned(),
        resources,
        to: args.resources.to.clone(),
        force: args.force,
        disable_rollback: args.disable_rollback,
        confirm: args.confirm,
        adopt: args.adopt,
        i_know: args.i_know,
        if_plan: args.options.if_plan.clone(),
        parallel: args.options.parallel.map(NonZeroUsize::get),
        wait,
        env: args.options.env.iter().map(pair).collect::<Result<_, _>>()?,
        copy: aim.copy,
        destination: aim.destination,
        // Set for each object when it is acted on, because it depends on the scope.
        orchestrated: false,
        command: session.typed.clone(),
    })
}

impl ActionArgs {
    /// An option that was given and that only an action in this process can follow.
    fn local_option(&self) -> Option<&'static str> {
        let given = [
            ("--to", self.resources.to.is_some()),
            ("--disable-rollback", self.disable_rollback),
            ("--adopt", self.adopt),
            ("--i-know", self.i_know),
            ("--if-plan", self.options.if_plan.is_some()),
            ("--parallel", self.options.parallel.is_some()),
            ("--waitlock", self.options.waitlock.is_some()),
            ("--no-lock", self.options.no_lock),
            ("--env", !self.options.env.is_empty()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }
}

impl ResourceArgs {
    /// Whether no option selects resources.
    fn selects_all(&self) -> bool {
        self.selection().is_all()
    }

    /// The selection that the options make. An option that was given several times is a list.
    pub(crate) fn selection(&self) -> ResourceSelection {
        let joined = |list: &[String]| (!list.is_empty()).then(|| list.join(","));
        ResourceSelection {
            within: self.within.clone(),
            rid: joined(&self.rid),
            tags: joined(&self.tags),
            subsets: joined(&self.subsets),
        }
    }
}
