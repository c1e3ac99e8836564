//! `delete`: an object with its configuration, state and logs, or sections of its configuration.

use std::process::ExitCode;

use model::ObjectPath;
use protocol::ConfigTarget;

use crate::command::{ActionArgs, ActionOptions, DeleteArgs, ResourceArgs};
use crate::config::target::ConfigFile;
use crate::each::each;
use crate::exit::{Failure, Outcome};
use crate::object::life::{self, ActionScope, ActionTarget};
use crate::session::Session;
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, args: &DeleteArgs) -> Outcome {
    let paths = session.select_some(target)?;
    if args.unprovision {
        let code = unprovision(session, &paths, args)?;
        // Nothing is deleted then: an object that failed still needs its configuration to be unprovisioned.
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(each(&paths, |path| delete(session, path, args)).into())
}

fn unprovision(session: &Session, paths: &[ObjectPath], args: &DeleteArgs) -> Outcome {
    let resources = ResourceArgs { rid: args.rid.clone(), ..ResourceArgs::default() };
    let options = ActionOptions { local: args.local, ..ActionOptions::default() };
    let action = ActionArgs { resources, options, force: args.force, confirm: args.confirm, ..ActionArgs::default() };
    // Stores have no instance, and must not make the unprovision of the others fail.
    let instances: Vec<ObjectPath> = paths.iter().filter(|path| !path.kind().is_store()).cloned().collect();
    life::run_on(session, &instances, "unprovision", &action, ActionScope::Object, ActionTarget::default())
}

fn delete(session: &Session, path: &ObjectPath, args: &DeleteArgs) -> Result<(), Failure> {
    let outcome = session.backend.delete(path, &args.rid, args.force)?;
    match args.rid.is_empty() {
        true => Ok(()),
        // Other resources may refer to the section that is gone: the operator is warned of errors.
        false => ConfigFile::of(session, ConfigTarget::Object(path.clone())).report(outcome),
    }
}
