//! `om driver allow`: the site agrees to what a driver asks for, after having heard it.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, anyhow};
use grant::{ComponentDigest, DriverTrust, GrantRequest, consent};

use super::named::{Named, named};
use super::policy::{PolicyFile, grant_line};
use super::{component, sentences};
use crate::exit::Failure;
use crate::session::{Session, ask, print};

pub(crate) fn run(session: &Session, driver: &str, add: &[String], yes: bool) -> Result<(), Failure> {
    let named = named(session, driver)?;
    let manifest = named.manifest();
    let lines = match add {
        [] => manifest.grants.iter().map(|line| whole(line)).collect::<Result<Vec<_>, _>>()?,
        add => add.iter().map(|typed| grant_line(typed)).collect::<Result<Vec<_>, _>>()?,
    };
    let file = PolicyFile::read(session, &manifest.name)?;
    print(&question(&named, add, &lines));
    if !yes {
        confirm()?;
    }
    if let Named::File(component) = &named {
        component::put(session, component, true)?;
    }
    let text = match named.trust() {
        DriverTrust::BuiltIn => consent::allow_builtin(&file.text, &lines),
        DriverTrust::ThirdParty => {
            let digest: ComponentDigest = named.digest().parse().map_err(anyhow::Error::from)?;
            consent::allow(&file.text, &digest, &lines)
        }
    };
    if text == file.text {
        session.note(&format!("{}: nothing to change, that is allowed already", manifest.name));
        return Ok(());
    }
    file.write(&text)?;
    session.note(&format!("allowed, as written in {}", file.path.display()));
    Ok(())
}

/// The policy line that agrees to a whole request.
fn whole(line: &str) -> anyhow::Result<String> {
    Ok(line.parse::<GrantRequest>().context("the driver asks for something that is not a grant")?.allow_line())
}

/// What is about to be allowed, to be read aloud.
fn question(named: &Named, add: &[String], lines: &[String]) -> String {
    let manifest = named.manifest();
    let signed = if named.trust() == DriverTrust::BuiltIn { "built in" } else { "unsigned" };
    let title = format!("{} {}, {signed}, {}", manifest.name, manifest.version, named.digest());
    match add {
        [] if manifest.grants.is_empty() => format!("{title}, asks for nothing\n"),
        [] => format!("{title}, asks to:\n{}", sentences::text(&sentences::of(&manifest.grants), "")),
        _ => {
            let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
            format!("{title}, would also be allowed:\n{lines}")
        }
    }
}

fn confirm() -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(anyhow!("standard input is not a terminal, so nothing can be confirmed and nothing was allowed (--yes confirms in advance)").into());
    }
    ask("Allow this digest? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(anyhow!("not confirmed: nothing was allowed").into()),
    }
}
