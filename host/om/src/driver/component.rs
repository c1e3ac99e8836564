//! `om driver install` and `remove`: components that the site adds. Nothing is granted by that.

use std::path::Path;

use agent::drivers::DriverComponent;

use super::named;
use crate::exit::Failure;
use crate::session::Session;

pub(crate) fn install(session: &Session, file: &Path, force: bool) -> Result<(), Failure> {
    let component = named::open(session, file)?;
    put(session, &component, force)?;
    let name = &component.manifest.name;
    session.note(&format!("{name} {} installed, {}", component.manifest.version, component.digest));
    session.note(&format!(
        "it may do nothing until it is allowed to: om driver inspect {name}, then om driver allow {name}"
    ));
    Ok(())
}

pub(super) fn put(session: &Session, component: &DriverComponent, force: bool) -> Result<(), Failure> {
    let folder = session.agent.home().installed_drivers();
    Ok(component.install(&session.agent.drivers(), &folder, force).map_err(anyhow::Error::from)?)
}

pub(crate) fn remove(session: &Session, driver: &str) -> Result<(), Failure> {
    let name = named::name(driver)?;
    agent::drivers::remove(&session.agent.drivers(), &name).map_err(anyhow::Error::from)?;
    session.note(&format!("{name} removed; its policy is kept"));
    Ok(())
}
