//! `freeze`, `thaw`, `enable`, `disable`, `clear`: what the agent may do with an instance or a resource.

use agent::state::InstanceState;
use anyhow::{Context, anyhow};
use config::{DEFAULT, Document};
use jiff::Timestamp;
use model::ObjectPath;
use model::select::ResourceFilter;

use crate::command::FlagArgs;
use crate::config::target::ConfigFile;
use crate::each::each;
use crate::exit::{Failure, Outcome};
use crate::object::life::alone;
use crate::session::Session;
use crate::words::Target;

/// The keyword that `disable` sets.
const DISABLE: &str = "disable";

pub(crate) fn freeze(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_instances(session, target, args, "freeze", |path, memory| {
        let frozen = memory.freeze(Timestamp::now()).with_context(|| format!("cannot freeze {path}"))?;
        session.note(&format!("{path}: {}", if frozen { "frozen" } else { "already frozen" }));
        Ok(())
    })
}

pub(crate) fn thaw(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_instances(session, target, args, "thaw", |path, memory| {
        let thawed = memory.thaw().with_context(|| format!("cannot thaw {path}"))?;
        session.note(&format!("{path}: {}", if thawed { "thawed" } else { "not frozen" }));
        Ok(())
    })
}

/// Forgets which actions failed, and the restarts that were counted, so that they begin anew.
pub(crate) fn clear(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_instances(session, target, args, "clear", |path, memory| {
        let counted = !memory.restarts().with_context(|| format!("cannot clear {path}"))?.is_empty();
        if counted {
            memory.set_restarts(&Default::default()).with_context(|| format!("cannot clear {path}"))?;
        }
        let failed = memory.forget_failures().with_context(|| format!("cannot clear {path}"))?;
        session.note(&format!("{path}: {}", if counted || failed { "cleared" } else { "nothing to clear" }));
        Ok(())
    })
}

/// Does something to what is remembered of each instance. On one of several nodes, only where this node alone is meant.
fn on_instances(
    session: &Session,
    target: &Target,
    args: &FlagArgs,
    action: &str,
    act: impl Fn(&ObjectPath, &InstanceState) -> Result<(), Failure>,
) -> Outcome {
    refuse_elsewhere(args, action)?;
    Ok(each(&session.select_instances(target, action)?, |path| {
        if !args.local {
            alone(session, path, action)?;
        }
        act(path, &InstanceState::of(session.agent.home(), path))
    })
    .into())
}

fn refuse_elsewhere(args: &FlagArgs, action: &str) -> Result<(), Failure> {
    match &args.orchestration {
        asked if asked.cluster || asked.node.is_some() => {
            Err(Failure::not_supported(&format!("{action} on other nodes, which needs the daemon")))
        }
        asked if asked.watch => Err(Failure::not_supported("--watch, which needs the daemon")),
        _ => Ok(()),
    }
}

pub(crate) fn enable(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_sections(session, target, args, |document, section| {
        document.unset(section, DISABLE);
        Ok(())
    })
}

pub(crate) fn disable(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_sections(session, target, args, |document, section| {
        Ok(document.set(section, DISABLE, "true").map_err(anyhow::Error::from)?)
    })
}

/// Changes the sections of the selected resources. Where none are selected, the object as a whole is meant.
fn on_sections(
    session: &Session,
    target: &Target,
    args: &FlagArgs,
    change: impl Fn(&mut Document, &str) -> Result<(), Failure>,
) -> Outcome {
    let filter = args.resources.filter()?;
    Ok(each(session.select_some(target)?, |path| {
        let sections = sections(session, &path, &filter)?;
        ConfigFile::of_object(session, path)
            .change(false, |document| sections.iter().try_for_each(|section| change(document, section)))
    })
    .into())
}

fn sections(session: &Session, path: &ObjectPath, filter: &ResourceFilter) -> Result<Vec<String>, Failure> {
    if filter.is_empty() {
        return Ok(vec![DEFAULT.to_owned()]);
    }
    let configuration = session.agent.configuration(path)?;
    let object = configuration
        .active
        .object()
        .ok_or_else(|| anyhow!("{path}: its configuration has errors: see om {path} config validate"))?;
    let selected = filter.select(&object.resources).with_context(|| path.to_string())?;
    Ok(selected.into_iter().map(|resource| resource.section.clone()).collect())
}
