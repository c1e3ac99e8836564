//! Installing and removing drivers of third parties. Nothing is granted to a driver by installing it.

use std::path::{Path, PathBuf};

use driver::{Manifest, ManifestError};
use model::DriverName;
use runtime::{Runtime, SectionError};

use super::available::{AvailableDriver, AvailableDrivers, DriverOrigin};
use crate::file::durable::{self, FileError};
use exec::blocking;

/// Why a driver cannot be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file is not the component of a driver.
    #[error("{} is not a driver: {reason}", path.display())]
    NoDriver { path: PathBuf, reason: String },
    /// The manifest is refused.
    #[error("{} is refused", path.display())]
    Manifest {
        path: PathBuf,
        #[source]
        source: ManifestError,
    },
    /// A driver of that name comes with the agent.
    #[error("{0} comes with the agent and cannot be replaced")]
    Builtin(DriverName),
    /// Another driver of that name is installed.
    #[error("{0} is installed already, as {1} (--force replaces it)")]
    Installed(DriverName, String),
    /// No driver of that name is installed.
    #[error("no driver {0} is installed")]
    Unknown(DriverName),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The component of a driver, read from a file.
#[derive(Debug)]
pub struct DriverComponent {
    pub manifest: Manifest,
    /// `sha256:` and the hexadecimal digest.
    pub digest: String,
    bytes: Vec<u8>,
    json: String,
}

impl DriverComponent {
    /// Reads a component. One that carries no manifest is run to ask for it, without any grant.
    pub async fn open(path: &Path, runtime: Result<&Runtime, &str>) -> Result<DriverComponent, InstallError> {
        let file = path.to_owned();
        let bytes = blocking(move || std::fs::read(file)).await;
        let bytes = bytes.map_err(|source| InstallError::Read { path: path.to_owned(), source })?;
        let no_driver = |reason: String| InstallError::NoDriver { path: path.to_owned(), reason };
        let json = match runtime::manifest_of(&bytes) {
            Ok(json) => json,
            Err(SectionError::NoSection) => {
                let runtime = runtime.map_err(|error| no_driver(error.to_owned()))?;
                runtime.describe(&bytes).await.map_err(|error| no_driver(crate::chain(&error)))?
            }
            Err(error) => return Err(no_driver(error.to_string())),
        };
        let manifest = Manifest::parse(json.as_bytes())
            .map_err(|source| InstallError::Manifest { path: path.to_owned(), source })?;
        let digest = format!("sha256:{}", runtime::digest(&bytes));
        Ok(DriverComponent { manifest, digest, bytes, json })
    }

    /// Installs the component in a directory.
    pub fn install(&self, drivers: &AvailableDrivers, directory: &Path, force: bool) -> Result<(), InstallError> {
        let name = &self.manifest.name;
        match drivers.named(name) {
            Some(AvailableDriver { origin: DriverOrigin::Builtin(_), .. }) => {
                return Err(InstallError::Builtin(name.clone()));
            }
            Some(known) if known.digest != self.digest && !force => {
                return Err(InstallError::Installed(name.clone(), known.digest.clone()));
            }
            _ => {}
        }
        // The component first: the agent does not see it before its manifest is there.
        durable::write(&directory.join(format!("{name}.wasm")), &self.bytes)?;
        let manifest = format!("{}\n{}", self.digest, self.json);
        Ok(durable::write(&directory.join(format!("{name}.manifest")), manifest.as_bytes())?)
    }
}

/// Removes an installed driver.
pub fn remove(drivers: &AvailableDrivers, name: &DriverName) -> Result<(), InstallError> {
    match drivers.named(name).map(|known| &known.origin) {
        None => Err(InstallError::Unknown(name.clone())),
        Some(DriverOrigin::Builtin(_)) => Err(InstallError::Builtin(name.clone())),
        Some(DriverOrigin::Installed(path)) => {
            // In the reverse order of an installation, so that a crash in between leaves no manifest without a component.
            durable::remove(&path.with_extension("manifest"))?;
            durable::remove(path)?;
            Ok(())
        }
    }
}
