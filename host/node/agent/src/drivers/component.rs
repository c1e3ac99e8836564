//! Installing and removing drivers of third parties. Nothing is granted to a driver by installing it.

use std::path::{Path, PathBuf};

use driver::{Manifest, ManifestError};
use model::DriverName;
use runtime::{NoManifest, Runtime};

use super::available::{AvailableDriver, AvailableDrivers, DriverOrigin};
use crate::file::durable::{self, FileError};

/// Why a driver cannot be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Its file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no component of a driver.
    #[error("{} is no driver: {reason}", path.display())]
    NoDriver {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Its manifest is refused.
    #[error("{} is refused", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// A driver of that name comes with the agent.
    #[error("{0} comes with the agent and cannot be replaced")]
    Builtin(DriverName),
    /// A driver of that name is installed.
    #[error("{0} is installed already, as {1} (--force replaces it)")]
    Installed(DriverName, String),
    /// There is no such driver.
    #[error("no driver {0} is installed")]
    Unknown(DriverName),
    /// It cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A component's file, looked at.
#[derive(Debug)]
pub struct DriverComponent {
    /// What the driver says of itself.
    pub manifest: Manifest,
    /// `sha256:` and the digest.
    pub digest: String,
    bytes: Vec<u8>,
    json: String,
}

impl DriverComponent {
    /// Looks at a component's file. One that carries no manifest is asked for it, with no grants.
    pub async fn open(path: &Path, runtime: Result<&Runtime, &str>) -> Result<DriverComponent, InstallError> {
        let bytes = std::fs::read(path).map_err(|source| InstallError::Read { path: path.to_owned(), source })?;
        let no_driver = |reason: String| InstallError::NoDriver { path: path.to_owned(), reason };
        let json = match runtime::manifest_of(&bytes) {
            Ok(json) => json,
            Err(NoManifest::NoSection) => {
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

    /// Installs it in `folder`. Nothing is granted by that.
    pub fn install(&self, drivers: &AvailableDrivers, folder: &Path, force: bool) -> Result<(), InstallError> {
        let name = &self.manifest.name;
        match drivers.known.get(name) {
            Some(AvailableDriver { origin: DriverOrigin::Builtin(_), .. }) => {
                return Err(InstallError::Builtin(name.clone()));
            }
            Some(known) if known.digest != self.digest && !force => {
                return Err(InstallError::Installed(name.clone(), known.digest.clone()));
            }
            _ => {}
        }
        // The component first: without its manifest it is not seen yet.
        durable::write(&folder.join(format!("{name}.wasm")), &self.bytes)?;
        let manifest = format!("{}\n{}", self.digest, self.json);
        Ok(durable::write(&folder.join(format!("{name}.manifest")), manifest.as_bytes())?)
    }
}

/// Removes an installed driver.
pub fn remove(drivers: &AvailableDrivers, name: &DriverName) -> Result<(), InstallError> {
    match drivers.known.get(name).map(|known| &known.origin) {
        None => Err(InstallError::Unknown(name.clone())),
        Some(DriverOrigin::Builtin(_)) => Err(InstallError::Builtin(name.clone())),
        Some(DriverOrigin::Installed(path)) => {
            durable::remove(&path.with_extension("manifest"))?;
            durable::remove(path)?;
            Ok(())
        }
    }
}
