//! `delete`: an object with its configuration, state and logs, or some of its sections. What is up or provisioned is left to
//! nobody, unless that is asked for.

use std::process::ExitCode;
use std::time::Duration;

use agent::file::lock::FileLock;
use agent::status::{InstanceStatus, ResourceStatus};
use agent::{ActError, ObjectFiles};
use anyhow::anyhow;
use model::ObjectPath;
use model::status::Provisioned;
use plan::Action;

use crate::command::{ActionArgs, ActionOptions, DeleteArgs, ResourceArgs};
use crate::config::target::ConfigFile;
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::object::life::{self, ActionScope, ActionTarget, block_on};
use crate::session::Session;
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, args: &DeleteArgs) -> Outcome {
    let paths = session.select_some(target)?;
    if args.unprovision {
        let resources = ResourceArgs { rid: args.rid.clone(), ..ResourceArgs::default() };
        let options = ActionOptions { local: args.local, ..ActionOptions::default() };
        let action =
            ActionArgs { resources, options, force: args.force, confirm: args.confirm, ..ActionArgs::default() };
        let instances: Vec<ObjectPath> = paths.iter().filter(|path| !path.kind().is_store()).cloned().collect();
        let scope = ActionScope::Object;
        let code = life::run_on(session, &instances, Action::Unprovision, &action, scope, ActionTarget::default())?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(each(&paths, |path| delete(session, path, args)).into())
}

fn delete(session: &Session, path: &ObjectPath, args: &DeleteArgs) -> Result<(), Failure> {
    let action_lock = session.agent.home().action_lock(path);
    let lock =
        FileLock::take_blocking(&action_lock, "delete", Duration::ZERO).map_err(ActError::Lock).map_err(|error| {
            let Failure { code, error } = error.into();
            Failure { code, error: error.context(path.to_string()) }
        })?;
    if !args.force {
        refuse_if_used(session, path, &args.rid)?;
    }
    if args.rid.is_empty() {
        ObjectFiles::of(session.agent.home()).delete(path)?;
        lock.remove(&action_lock);
        return Ok(());
    }
    let file = ConfigFile::of_object(session, path.clone());
    file.change(args.force, |document| {
        for rid in &args.rid {
            let section = file.as_written(document, &config::Key::new(rid.as_str(), "")).section;
            if !document.delete_section(&section) {
                return Err(anyhow!("{path} has no section {rid}").into());
            }
        }
        Ok(())
    })
}

/// Refuses where resources are up or provisioned, or where nobody can tell.
fn refuse_if_used(session: &Session, path: &ObjectPath, rids: &[String]) -> Result<(), Failure> {
    let instance = match block_on(session.agent.status_anyhow(path))? {
        Ok(instance) => instance,
        // An object that never was without an error never did anything.
        Err(ActError::Configuration(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let used = used(&instance, rids);
    if used.is_empty() {
        return Ok(());
    }
    let text = format!("{path}: {} (--unprovision undoes that first, --force leaves it as it is)", used.join(", "));
    Err(Failure::new(exit::FAILED, text))
}

/// `fs#1 is up`, for every resource that would be left behind. No rids are all of them.
fn used(instance: &InstanceStatus, rids: &[String]) -> Vec<String> {
    let asked = |seen: &&ResourceStatus| rids.is_empty() || rids.contains(&seen.rid.to_string());
    let word = |seen: &ResourceStatus| match seen.flags.provisioned {
        _ if seen.state.is_up() => Some(format!("{} is {}", seen.rid, seen.state)),
        Provisioned::True | Provisioned::Mixed => Some(format!("{} is provisioned", seen.rid)),
        _ => seen.fault.as_ref().map(|fault| format!("{} cannot answer: {fault}", seen.rid)),
    };
    instance.resources.iter().filter(asked).filter_map(word).collect()
}
