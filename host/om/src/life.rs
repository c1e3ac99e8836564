//! The actions of an instance: start, stop and their kin, their plans, run and sync.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use agent::status::InstanceStatus;
use agent::{ActError, ActionRequest, CopyRequest, RequestOrigin};
use anyhow::{Context, anyhow};
use driver::Cancel;
use model::select::{ResourceFilter, ResourceOptions};
use model::{NodeName, ObjectPath};
use plan::Action;
use serde_json::Value;

use super::command::{Format, Life, MigrateArgs, Selection};
use super::exit::{self, Failure, Outcome};
use super::render::structured::{one_or_all, structured};
use super::session::{Session, ask, complain, print};

/// How an action is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `om web start`: the orchestrator's business, unless options make it local.
    Object,
    /// `om web instance start`, `om web start --local`.
    Instance,
    /// `om web plan start`.
    Plan,
}

/// Where an action goes, if it is not about this node alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aim {
    pub(crate) copying: CopyRequest,
    pub(crate) destination: Option<NodeName>,
}

impl Aim {
    pub(crate) fn copies(copying: CopyRequest) -> Aim {
        Aim { copying, destination: None }
    }
}

/// Moves the instances to another node.
pub(crate) fn migrate(session: &Session, selector: &str, args: &MigrateArgs, scope: Scope) -> Outcome {
    let life = Life { course: args.course.clone(), ..Life::default() };
    let aim = Aim { destination: Some(args.to.clone()), ..Aim::default() };
    run(session, selector, Action::Migrate, &life, scope, aim)
}

pub(crate) fn run(session: &Session, selector: &str, action: Action, life: &Life, scope: Scope, aim: Aim) -> Outcome {
    let format = life.course.output.format;
    let plans = life.course.dry_run || scope == Scope::Plan;
    refuse_what_is_not_here(action, life, plans)?;
    let (mut code, mut values) = (0, Vec::new());
    let paths = session.select_instances(selector, action.as_str())?;
    for path in &paths {
        let request = request(session, action, life, aim.clone())?;
        let one = match plans {
            true => show_plan(session, path, &request, format).map(|value| (0, value)),
            false => act(session, path, request, life, scope),
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

/// What would need others, or makes no sense for what is not drawn.
fn refuse_what_is_not_here(action: Action, life: &Life, plans: bool) -> Result<(), Failure> {
    if life.course.orchestration.cluster || life.course.orchestration.node.is_some() {
        return Err(Failure::not_supported(&format!("{action} on other nodes, which needs the daemon")));
    }
    if life.course.orchestration.watch {
        return Err(Failure::not_supported("--watch, which needs the daemon"));
    }
    if life.course.output.format == Format::Dot && !plans {
        return Err(anyhow!("--format dot draws plans: add --dry-run").into());
    }
    Ok(())
}

/// Prints the plan for people, or makes a value of it for programs.
fn show_plan(
    session: &Session,
    path: &ObjectPath,
    request: &ActionRequest,
    format: Format,
) -> Result<Option<Value>, Failure> {
    let plan = block_on(session.agent.plan(path, request))??;
    if let Some(action) = session.agent.unfinished(path) {
        let text = "was interrupted: what it left behind is dealt with first, and this plan made anew then";
        session.note(&format!("{path}: {action} {text}"));
    }
    match format {
        Format::Human => print(&plan::render::text(&plan)),
        Format::Dot => print(&plan::render::dot(&plan)),
        _ => return Ok(Some(serde_json::to_value(plan::render::json(&plan)).context("cannot render the plan")?)),
    }
    Ok(None)
}

/// Acts. Returns the exit code, and for programs the status that it led to.
fn act(
    session: &Session,
    path: &ObjectPath,
    request: ActionRequest,
    life: &Life,
    scope: Scope,
) -> Result<(u8, Option<Value>), Failure> {
    let orchestrated = scope == Scope::Object && !life.course.local && request.filter.is_empty();
    if orchestrated {
        let to = request.destination.as_ref().map(|node| format!(" --to {node}")).unwrap_or_default();
        alone(session, path, &format!("{}{to}", request.action))?;
        session.note(&format!("{path}: no daemon is running, and this is its only node: acting here"));
    }
    if request.action == Action::Unprovision && !life.confirm {
        confirm(path)?;
    }
    let (action, filter) = (request.action, request.filter.clone());
    let cancel = Cancel::default();
    let acted = block_on(async {
        tokio::spawn(cancel_on_signal(cancel.clone()));
        session.agent.act(path, request, Some(session.console()), cancel.clone()).await
    })??;
    if acted.report.ending == exec::Ending::Done {
        if orchestrated {
            session.follow_up(path, action)?;
        }
        if !acted.report.changed() {
            let left_out = left_out(&acted.instance, &filter);
            session.note(&format!("{path}: nothing to do, instance status is {}{left_out}", acted.instance.sums.avail));
        }
    }
    let value = life.course.output.format.is_structured().then(|| super::render::status::value(&acted.instance));
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
        _ => Err(anyhow!("not confirmed: nothing was touched (--confirm says yes beforehand)").into()),
    }
}

fn request(session: &Session, action: Action, life: &Life, aim: Aim) -> Result<ActionRequest, Failure> {
    let wait = (!life.course.no_lock).then(|| life.course.waitlock.unwrap_or_default());
    let pair = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| anyhow!("--env {text}: expected NAME=VALUE"))
    };
    Ok(ActionRequest {
        action,
        filter: life.selection.filter()?,
        to: life.selection.to.as_ref().map(|to| to.parse()).transpose().map_err(anyhow::Error::from)?,
        force: life.force,
        disable_rollback: life.disable_rollback,
        confirm: life.confirm,
        if_plan: life.course.if_plan.clone(),
        parallel: life.course.parallel.map(NonZeroUsize::get),
        wait,
        env: life.course.env.iter().map(pair).collect::<Result<_, _>>()?,
        copying: aim.copying,
        destination: aim.destination,
        command: session.typed.clone(),
        origin: RequestOrigin::User,
    })
}

impl Selection {
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
