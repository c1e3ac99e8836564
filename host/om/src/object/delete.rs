//! `delete`: an object with its configuration, state and logs, or sections of its configuration.

use std::process::ExitCode;

use model::ObjectPath;
use protocol::daemon::OrderCommand;
use protocol::{ConfigOutcome, ConfigTarget, DeleteOrder};

use crate::backend::RemoteDaemon;
use crate::command::{ActionArgs, ActionOptions, DeleteArgs, OutputFormat, ResourceArgs};
use crate::config::target::ConfigFile;
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::object::life::{self, ActionScope, ActionTarget};
use crate::object::order::{self, OrderWish};
use crate::session::Session;
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, args: &DeleteArgs) -> Outcome {
    let paths = session.select_some(target)?;
    // Sections are edits of a file. Stores and users have no instance that would have to be stopped first.
    let (objects, others): (Vec<ObjectPath>, Vec<ObjectPath>) =
        paths.iter().cloned().partition(|path| path.kind().has_instances());
    if !args.local
        && args.rid.is_empty()
        && !objects.is_empty()
        && let Some(daemon) = session.running_daemon()?
    {
        let code = exit::worse(0, each(&others, |path| delete(session, path, args)));
        return order_all(session, &daemon, &objects, args)
            .map(|ordered| if code == 0 { ordered } else { code.into() });
    }
    if args.unprovision {
        let code = unprovision(session, &paths, args)?;
        // Nothing is deleted then: an object that failed still needs its configuration to be unprovisioned.
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(each(&paths, |path| delete(session, path, args)).into())
}

/// Orders the deletion of the daemon, which stops nothing by itself: what is up is deleted only by force.
fn order_all(session: &Session, daemon: &RemoteDaemon, paths: &[ObjectPath], args: &DeleteArgs) -> Outcome {
    // The word of an operator about one node is not one about the others, where the order goes as well.
    if args.i_know {
        return Err(life::refuse_local_option("--i-know"));
    }
    if args.unprovision && !args.confirm {
        paths.iter().try_for_each(life::confirm)?;
    }
    let verb = if args.unprovision { OrderCommand::Purge } else { OrderCommand::Delete };
    let wish = OrderWish { verb, word: "delete", force: args.force, follow: &args.follow, format: OutputFormat::Human };
    order::order(session, daemon, paths, &wish)
}

fn unprovision(session: &Session, paths: &[ObjectPath], args: &DeleteArgs) -> Outcome {
    let resources = ResourceArgs { rid: args.rid.clone(), ..ResourceArgs::default() };
    let options = ActionOptions { local: args.local, ..ActionOptions::default() };
    let action = ActionArgs { resources, options, force: args.force, confirm: args.confirm, ..ActionArgs::default() };
    // Others have no instance, and must not make the unprovision of the others fail.
    let instances: Vec<ObjectPath> = paths.iter().filter(|path| path.kind().has_instances()).cloned().collect();
    life::run_on(session, &instances, "unprovision", &action, ActionScope::Object, ActionTarget::default())
}

fn delete(session: &Session, path: &ObjectPath, args: &DeleteArgs) -> Result<(), Failure> {
    let order = DeleteOrder { force: args.force, i_know: args.i_know, unprovisioned: args.unprovision };
    let outcome = session.backend.delete(path, &args.rid, order)?;
    match args.rid.is_empty() {
        true => {
            if let ConfigOutcome::Saved { notes } = outcome {
                notes.iter().for_each(|note| session.note(note));
            }
            Ok(())
        }
        // Other resources may refer to the section that is gone: the operator is warned of errors.
        false => ConfigFile::of(session, ConfigTarget::Object(path.clone())).report(outcome),
    }
}
