//! `om driver allow`: the site allows what a driver asks for, after it was printed and confirmed.

use protocol::DriverConsent;

use super::sentences;
use crate::exit::Failure;
use crate::session::Session;
use crate::terminal::{confirms, is_interactive, print};

pub(crate) fn run(session: &Session, driver: &str, add: &[String], yes: bool) -> Result<(), Failure> {
    let consent = session.backend.driver_consent(driver, add)?;
    // With --yes too, so that the output of a script shows what it has allowed.
    print(&question(&consent, add));
    if !yes {
        confirm()?;
    }
    // The digest ties the answer to the build that was shown: the file may be replaced meanwhile.
    let change = session.backend.allow_driver(driver, add, &consent.digest)?;
    session.note(&match change.changed {
        true => format!("allowed, as written in {}", change.file.display()),
        false => format!("{}: nothing to change, that is allowed already", change.driver),
    });
    Ok(())
}

/// The grants that are about to be allowed, as the operator reads them.
fn question(consent: &DriverConsent, add: &[String]) -> String {
    let signed = if consent.built_in { "built in" } else { "unsigned" };
    let aliases =
        if consent.aliases.is_empty() { String::new() } else { format!(", also {}", consent.aliases.join(", ")) };
    let title = format!("{} {}{aliases}, {signed}, {}", consent.name, consent.version, consent.digest);
    let mut text = match add {
        [] if consent.grants.is_empty() && consent.malformed.is_empty() => format!("{title}, asks for nothing\n"),
        [] => format!("{title}, asks to:\n{}", sentences::text(&consent.grants, &consent.malformed)),
        _ => {
            let lines: String = consent.lines.iter().map(|line| format!("  {line}\n")).collect();
            format!("{title}, would also be allowed:\n{lines}")
        }
    };
    let mut part = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            text += &format!("{title}\n");
            lines.iter().for_each(|line| text += &format!("  {line}\n"));
        }
    };
    part("the configuration may give it:", &consent.stores);
    part("defaults of its author, which grant nothing until the configuration says the same:", &consent.defaults);
    if let Some(before) = &consent.other_build {
        let changes =
            if consent.changes.is_empty() { vec!["it asks for the same".to_owned()] } else { consent.changes.clone() };
        part(&format!("another build was allowed, {before}. Since then:"), &changes);
    }
    part("it does not ask for this, so it has no effect:", &consent.without_effect);
    if add.is_empty() {
        let lines: Vec<String> = consent.lines.iter().map(|line| format!("allow {line}")).collect();
        part(&format!("as in {}:", consent.file.display()), &lines);
    }
    text
}

fn confirm() -> Result<(), Failure> {
    // Unlike for unprovision, the command itself confirms nothing: only now are the grants known to the operator.
    if !is_interactive() {
        let text = "standard input is not a terminal, so nothing can be confirmed and nothing was allowed (--yes confirms \
                    in advance)";
        return Err(Failure::failed(text));
    }
    match confirms("Allow this digest?")? {
        true => Ok(()),
        false => Err(Failure::failed("not confirmed: nothing was allowed")),
    }
}
