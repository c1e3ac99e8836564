//! `freeze`, `thaw`, `clear`: flags of an instance. `enable`, `disable`: a keyword of resources, or of the object.

use config::DEFAULT;
use protocol::{ConfigChange, ConfigEdit, ConfigTarget, ResourceSelection};

use crate::backend::InstanceFlag;
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
    set(session, target, args, InstanceFlag::Freeze, "freeze", ["frozen", "already frozen"])
}

pub(crate) fn thaw(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    set(session, target, args, InstanceFlag::Thaw, "thaw", ["thawed", "not frozen"])
}

/// Forgets which actions failed, and the restarts that were counted.
pub(crate) fn clear(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    set(session, target, args, InstanceFlag::Clear, "clear", ["cleared", "nothing to clear"])
}

/// Sets a flag of each instance, and notes whether that changed anything. The flags of an object that also runs on other
/// nodes are set only if this node alone is meant.
fn set(
    session: &Session,
    target: &Target,
    args: &FlagArgs,
    flag: InstanceFlag,
    action: &str,
    [changed, unchanged]: [&str; 2],
) -> Outcome {
    refuse_unsupported(args, action)?;
    Ok(each(&session.select_instances(target, action)?, |path| {
        if !args.local {
            // The flag is then meant for all nodes of the object, and only a daemon could reach the others.
            alone(session, path, action)?;
        }
        let done = session.backend.flag(path, flag)?;
        session.note(&format!("{path}: {}", if done { changed } else { unchanged }));
        Ok(())
    })
    .into())
}

fn refuse_unsupported(args: &FlagArgs, action: &str) -> Result<(), Failure> {
    match &args.orchestration {
        asked if asked.cluster || asked.node.is_some() => {
            Err(Failure::not_supported(&format!("{action} on other nodes, which needs the daemon")))
        }
        asked if asked.watch => Err(Failure::not_supported("--watch, which needs the daemon")),
        _ => Ok(()),
    }
}

pub(crate) fn enable(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_sections(session, target, args, |section| ConfigEdit::UnsetIn { section, keyword: DISABLE.to_owned() })
}

pub(crate) fn disable(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    on_sections(session, target, args, |section| ConfigEdit::SetIn {
        section,
        keyword: DISABLE.to_owned(),
        value: "true".to_owned(),
    })
}

/// Edits the sections of the selected resources. If none are selected, the object as a whole is meant.
fn on_sections(session: &Session, target: &Target, args: &FlagArgs, edit: impl Fn(String) -> ConfigEdit) -> Outcome {
    let selection = args.resources.selection();
    // Options that cannot be read are reported once, not once for each object.
    selection.filter().map_err(anyhow::Error::from)?;
    Ok(each(session.select_some(target)?, |path| {
        // Without a selection, no driver or reference has to be read: it works on a broken configuration too.
        let sections = match selection == ResourceSelection::default() {
            true => vec![DEFAULT.to_owned()],
            false => session.backend.sections(&path, &selection)?,
        };
        let change = ConfigChange { edits: sections.into_iter().map(&edit).collect(), force: false };
        ConfigFile::of(session, ConfigTarget::Object(path)).change(&change)
    })
    .into())
}
