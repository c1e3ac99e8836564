//! `om driver install` and `remove`: the components of drivers that the site adds. Installing grants nothing.

use std::path::Path;

use crate::exit::Failure;
use crate::session::Session;

pub(crate) fn install(session: &Session, file: &Path, force: bool) -> Result<(), Failure> {
    let installed = session.backend.install_driver(file, force)?;
    let name = &installed.name;
    session.note(&format!("{name} {} installed, {}", installed.version, installed.digest));
    session.note(&format!(
        "it may do nothing until it is allowed to: om driver inspect {name}, then om driver allow {name}"
    ));
    Ok(())
}

pub(crate) fn remove(session: &Session, driver: &str, force: bool) -> Result<(), Failure> {
    let name = session.backend.remove_driver(driver, force)?;
    // The agent keeps the policy, so a driver that is installed again under this name finds it.
    session.note(&format!("{name} removed; its policy is kept"));
    Ok(())
}
