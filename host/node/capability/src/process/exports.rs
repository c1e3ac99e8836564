//! Exports of another namespace than `root`: a client whose root is root here writes set-user-id programs and devices into what is exported,
//! and reads what belongs to any user. So the policy of the namespace must say those options in full, and no star stands for them.
//! See exports(5).

use grant::Operation;
use kernel::process::CheckedProgram;

use super::ProcessCommand;
use crate::{CallContext, CapabilityError};

const EXPORTFS: &str = "exportfs";

/// Options by which a user of a client is any user of this node.
const NO_SQUASH: &str = "no_root_squash";
const AS_USER: [&str; 2] = ["anonuid=", "anongid="];

/// Refuses an export with such an option that the policy does not say.
pub(super) fn judge<O: Operation>(
    context: &CallContext,
    op: &O,
    command: &ProcessCommand,
    program: &CheckedProgram,
) -> Result<(), CapabilityError> {
    if context.is_of_root() || program.real().file_name().is_none_or(|name| name != EXPORTFS) {
        return Ok(());
    }
    let others: Vec<String> = command.args.iter().map(|arg| with_another(arg)).collect();
    if others == command.args {
        return Ok(());
    }
    let says = |other: &dyn Operation| context.grants().namespace_says(op, other, &kernel::path::real_place);
    match op.with_arguments(&others) {
        Some(other) if says(&*other) => Ok(()),
        _ => Err(context.refuse_by_namespace(op)),
    }
}

/// The argument with words that no line says in place of those options.
fn with_another(arg: &str) -> String {
    let options = arg.split(',').map(|option| {
        let is_one = option.ends_with(NO_SQUASH) || AS_USER.iter().any(|name| option.contains(name));
        if is_one { format!("{option}.any") } else { option.to_owned() }
    });
    options.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_makes_root_of_a_client_is_found_however_it_is_written() {
        for (arg, expected) in [
            ("rw,no_root_squash", "rw,no_root_squash.any"),
            ("-orw,no_root_squash,sync", "-orw,no_root_squash.any,sync"),
            ("-ono_root_squash", "-ono_root_squash.any"),
            ("all_squash,anonuid=0", "all_squash,anonuid=0.any"),
            ("rw,root_squash", "rw,root_squash"),
            ("n2:/srv/no_root", "n2:/srv/no_root"),
        ] {
            assert_eq!(with_another(arg), expected);
        }
    }
}
