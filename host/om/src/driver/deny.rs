//! `om driver deny`: the site takes back what it allowed, or forbids it.

use crate::exit::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, driver: &str, grants: &[String]) -> Result<(), Failure> {
    let change = session.backend.deny_driver(driver, grants)?;
    session.note(&match change.changed {
        true => format!("denied, as written in {}", change.file.display()),
        false => format!("{}: nothing to change, that is denied already", change.driver),
    });
    Ok(())
}
