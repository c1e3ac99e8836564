//! `om driver deny`: the site takes back what it allowed, or forbids it.

use anyhow::Context;
use grant::{DriverTrust, GrantRequest, consent};

use super::named::{Named, known};
use super::policy::{PolicyFile, grant_line};
use crate::exit::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, driver: &str, grants: &[String]) -> Result<(), Failure> {
    let named = Named::Available(Box::new(known(session, driver)?));
    let manifest = named.manifest();
    let file = PolicyFile::read(session, &manifest.name)?;
    let text = match (grants, named.trust()) {
        ([], DriverTrust::ThirdParty) => consent::deny_all(&file.text),
        // A driver of the agent's own may do what no line is about: each of its requests is forbidden by name.
        ([], DriverTrust::BuiltIn) => consent::deny_builtin(&file.text, &requests(&manifest.grants)?),
        (typed, _) => {
            let lines: Vec<String> = typed.iter().map(|line| grant_line(line)).collect::<Result<_, _>>()?;
            consent::deny(&file.text, &lines)
        }
    };
    if text == file.text {
        session.note(&format!("{}: nothing to change, that is denied already", manifest.name));
        return Ok(());
    }
    file.write(&text)?;
    session.note(&format!("denied, as written in {}", file.path.display()));
    Ok(())
}

fn requests(grants: &[String]) -> Result<Vec<String>, Failure> {
    let lines = grants.iter().map(|line| line.parse::<GrantRequest>().map(|request| request.allow_line()));
    Ok(lines.collect::<Result<_, _>>().context("the driver asks for something that is not a grant")?)
}
