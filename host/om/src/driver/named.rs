//! A driver, as the words of a command name it: by its name, or by a component's file.

use std::path::Path;

use agent::drivers::{AvailableDriver, DriverComponent, DriverOrigin};
use driver::Manifest;
use grant::DriverTrust;
use model::DriverName;

use crate::exit::{self, Failure};
use crate::object::life::block_on;
use crate::session::Session;

/// What a command is about.
pub(super) enum Named {
    /// A driver at hand.
    Available(Box<AvailableDriver>),
    /// A component that is not installed, or not the one that is.
    File(Box<DriverComponent>),
}

impl Named {
    pub(super) fn manifest(&self) -> &Manifest {
        match self {
            Named::Available(known) => &known.manifest,
            Named::File(component) => &component.manifest,
        }
    }

    pub(super) fn digest(&self) -> &str {
        match self {
            Named::Available(known) => &known.digest,
            Named::File(component) => &component.digest,
        }
    }

    pub(super) fn trust(&self) -> DriverTrust {
        match self {
            Named::Available(known) if matches!(known.origin, DriverOrigin::Builtin(_)) => DriverTrust::BuiltIn,
            _ => DriverTrust::ThirdParty,
        }
    }

    pub(super) fn origin(&self) -> String {
        match self {
            Named::Available(known) => match &known.origin {
                DriverOrigin::Builtin(_) => "built in".to_owned(),
                DriverOrigin::Installed(path) => format!("installed as {}", path.display()),
            },
            Named::File(_) => "not installed".to_owned(),
        }
    }
}

/// A driver at hand, or else a component's file. What holds a slash or ends in `.wasm` is a file.
pub(super) fn named(session: &Session, text: &str) -> Result<Named, Failure> {
    if text.contains('/') || text.ends_with(".wasm") {
        return Ok(Named::File(Box::new(open(session, Path::new(text))?)));
    }
    Ok(Named::Available(Box::new(known(session, text)?)))
}

/// A component's file.
pub(super) fn open(session: &Session, file: &Path) -> Result<DriverComponent, Failure> {
    Ok(block_on(DriverComponent::open(file, session.agent.runtime()))?.map_err(anyhow::Error::from)?)
}

/// A driver at hand.
pub(super) fn known(session: &Session, text: &str) -> Result<AvailableDriver, Failure> {
    let name = name(text)?;
    let drivers = session.agent.drivers();
    if let Some(broken) = drivers.broken().find(|broken| broken.file.file_stem() == Some(text.as_ref())) {
        return Err(Failure::new(exit::FAILED, format!("{text} cannot be used: {}", broken.reason)));
    }
    let known = drivers.get(&name).cloned();
    known.ok_or_else(|| Failure::new(exit::NO_MATCH, format!("no driver {text}: see om driver ls")))
}

pub(super) fn name(text: &str) -> Result<DriverName, Failure> {
    Ok(text.parse::<DriverName>().map_err(anyhow::Error::from)?)
}
