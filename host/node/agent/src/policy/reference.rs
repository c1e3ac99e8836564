//! A driver as the words of a command name it: by its name, or by the file of a component.

use std::path::Path;

use driver::Manifest;
use grant::DriverTrust;
use model::DriverName;

use super::PolicyChangeError;
use crate::Agent;
use crate::drivers::{AvailableDriver, DriverComponent, DriverOrigin};

/// The driver that a command is about.
pub(super) enum DriverReference {
    /// A driver of this node.
    Available(Box<AvailableDriver>),
    /// A component that is not installed, or not the one that is.
    Component(Box<DriverComponent>),
}

impl DriverReference {
    pub(super) fn manifest(&self) -> &Manifest {
        match self {
            DriverReference::Available(known) => &known.manifest,
            DriverReference::Component(component) => &component.manifest,
        }
    }

    pub(super) fn digest(&self) -> &str {
        match self {
            DriverReference::Available(known) => &known.digest,
            DriverReference::Component(component) => &component.digest,
        }
    }

    pub(super) fn trust(&self) -> DriverTrust {
        match self {
            DriverReference::Available(known) if matches!(known.origin, DriverOrigin::Builtin(_)) => {
                DriverTrust::BuiltIn
            }
            _ => DriverTrust::ThirdParty,
        }
    }

    pub(super) fn origin(&self) -> String {
        match self {
            DriverReference::Available(known) => match &known.origin {
                DriverOrigin::Builtin(_) => "built in".to_owned(),
                DriverOrigin::Installed(path) => format!("installed as {}", path.display()),
            },
            DriverReference::Component(_) => "not installed".to_owned(),
        }
    }
}

impl Agent {
    /// The driver of that name, or the component in that file. What holds a slash or ends in `.wasm` is a file.
    pub(super) async fn driver_reference(&self, text: &str) -> Result<DriverReference, PolicyChangeError> {
        if text.contains('/') || text.ends_with(".wasm") {
            let component = DriverComponent::open(Path::new(text), self.runtime()).await?;
            return Ok(DriverReference::Component(Box::new(component)));
        }
        self.available_driver(text)
    }

    /// The driver of that name.
    pub(super) fn available_driver(&self, text: &str) -> Result<DriverReference, PolicyChangeError> {
        let name: DriverName = text.parse()?;
        let drivers = self.drivers();
        if let Some(broken) = drivers.broken().find(|broken| broken.file.file_stem() == Some(text.as_ref())) {
            return Err(PolicyChangeError::Broken(text.to_owned(), broken.reason.clone()));
        }
        let known = drivers.get(&name).ok_or_else(|| PolicyChangeError::Unknown(text.to_owned()))?;
        Ok(DriverReference::Available(Box::new(known.clone())))
    }
}
