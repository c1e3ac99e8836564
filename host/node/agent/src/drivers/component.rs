//! Installing and removing drivers of third parties. Nothing is granted to a driver by installing it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use driver::{Manifest, ManifestError};
use model::DriverName;
use runtime::{Runtime, SectionError};

use super::available::{AvailableDriver, AvailableDrivers, DriverOrigin, NameClash};
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
    /// Another driver is called as this one is.
    #[error(transparent)]
    Clash(#[from] NameClash),
    /// Another driver of that name is installed.
    #[error("{0} is installed already, as {1} (--force replaces it, and om driver allow FILE replaces and allows it)")]
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

/// Reads a component's file: a file, and not one that is too large to be a driver. Nothing is waited for.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    // open(2) of a FIFO waits for a writer, and that of a terminal may make it the controlling one. What it is can only
    // be asked of the open file: by its name, another could take its place meanwhile.
    let no_wait = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits() as i32;
    let file = File::options().read(true).custom_flags(no_wait).open(path)?;
    let found = file.metadata()?;
    let too_large = || io::Error::other(format!("it has more than {} bytes", runtime::LARGEST_COMPONENT));
    if !found.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let limit = runtime::LARGEST_COMPONENT as u64;
    if found.len() > limit {
        return Err(too_large());
    }
    // It may grow meanwhile.
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

impl DriverComponent {
    /// Reads a component, and asks it what it is: it is compiled, linked with what the host offers, and called without any grant. What
    /// it says must be what its section says, which is all that is read of it later.
    pub async fn open(path: &Path, runtime: Result<&Runtime, &str>) -> Result<DriverComponent, InstallError> {
        let file = path.to_owned();
        let bytes = blocking(move || content(&file)).await;
        let bytes = bytes.map_err(|source| InstallError::Read { path: path.to_owned(), source })?;
        let no_driver = |reason: String| InstallError::NoDriver { path: path.to_owned(), reason };
        let refused = |source| InstallError::Manifest { path: path.to_owned(), source };
        // Some tools cannot write such a section: then there is nothing to compare the answer with.
        let section = match runtime::manifest_of(&bytes) {
            Ok(json) => Some(Manifest::parse(json.as_bytes()).map_err(refused)?),
            Err(SectionError::NoSection) => None,
            Err(error) => return Err(no_driver(error.to_string())),
        };
        let runtime = runtime.map_err(|error| no_driver(error.to_owned()))?;
        let json = runtime.describe(&bytes).await.map_err(|error| no_driver(crate::chain(&error)))?;
        let manifest = Manifest::parse(json.as_bytes()).map_err(refused)?;
        if let Some(member) = section.and_then(|section| section.difference(&manifest)) {
            let reason = format!(
                "its section hostler.manifest and its describe() differ in {member}: build it again, with one manifest"
            );
            return Err(no_driver(reason));
        }
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
        drivers.clash(&self.manifest).map_or(Ok(()), Err)?;
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
