//! `freeze`, `thaw`, `clear`: flags of an instance. `enable`, `disable`: a keyword of resources, or of the object.

use config::DEFAULT;
use protocol::daemon::OrderCommand;
use protocol::{ConfigChange, ConfigEdit, ConfigTarget, ResourceSelection};

use crate::backend::InstanceFlag;
use crate::command::{FlagArgs, OutputFormat};
use crate::config::target::ConfigFile;
use crate::each::each;
use crate::exit::Outcome;
use crate::object::life::alone;
use crate::object::order::{self, OrderWish};
use crate::session::Session;
use crate::words::Target;

/// The keyword that `disable` sets.
const DISABLE: &str = "disable";

pub(crate) fn freeze(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    set(session, target, args, &FlagChange::FREEZE)
}

pub(crate) fn thaw(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    set(session, target, args, &FlagChange::THAW)
}

/// Forgets which actions failed, and the restarts that were counted.
pub(crate) fn clear(session: &Session, target: &Target, args: &FlagArgs) -> Outcome {
    set(session, target, args, &FlagChange::CLEAR)
}

/// A flag, and the words about it.
struct FlagChange {
    flag: InstanceFlag,
    order: OrderCommand,
    changed: &'static str,
    unchanged: &'static str,
}

impl FlagChange {
    const FREEZE: FlagChange = FlagChange {
        flag: InstanceFlag::Freeze,
        order: OrderCommand::Freeze,
        changed: "frozen",
        unchanged: "already frozen",
    };
    const THAW: FlagChange =
        FlagChange { flag: InstanceFlag::Thaw, order: OrderCommand::Thaw, changed: "thawed", unchanged: "not frozen" };
    const CLEAR: FlagChange = FlagChange {
        flag: InstanceFlag::Clear,
        order: OrderCommand::Clear,
        changed: "cleared",
        unchanged: "nothing to clear",
    };
}

/// Sets a flag of each object: by an order to the daemon, or here, where it runs on no other node.
fn set(session: &Session, target: &Target, args: &FlagArgs, change: &FlagChange) -> Outcome {
    let action = order::word(&change.order);
    let paths = session.select_instances(target, action)?;
    if !args.local
        && let Some(daemon) = session.running_daemon()?
    {
        let (follow, format) = (&args.orchestration.follow, OutputFormat::Human);
        let wish =
            OrderWish { word: order::word(&change.order), verb: change.order.clone(), force: false, follow, format };
        return order::order(session, &daemon, &paths, &wish);
    }
    order::refuse_watch(&args.orchestration.follow)?;
    Ok(each(&paths, |path| {
        if !args.local {
            // The flag is then meant for all nodes of the object, and only a daemon could reach the others.
            alone(session, path, action)?;
        }
        let done = session.backend.flag(path, change.flag)?;
        session.note(&format!("{path}: {}", if done { change.changed } else { change.unchanged }));
        Ok(())
    })
    .into())
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
