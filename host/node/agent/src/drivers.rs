//! The drivers at hand: those that come with the agent and those that the site installed, known by their manifests. None is
//! run to be known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use driver::{Manifest, ManifestError};
use model::config::{DriverSchema, Implicit, Schemas};
use model::{DriverName, Group};
use runtime::{NoManifest, Runtime};

use crate::durable::{self, FileError};

/// Where a driver's component is.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In the agent itself.
    Builtin(&'static [u8]),
    /// A file that the site installed.
    Installed(PathBuf),
}

/// A driver at hand.
#[derive(Debug, Clone)]
pub struct Known {
    /// What it says of itself.
    pub manifest: Manifest,
    /// `sha256:` and the hexadecimal digest of its component. Of an installed driver: as it was when it was installed.
    pub digest: String,
    /// Its component.
    pub origin: Origin,
}

/// The drivers at hand.
#[derive(Debug, Default)]
pub struct Drivers {
    known: BTreeMap<DriverName, Known>,
    aliases: BTreeMap<(Group, String), DriverName>,
    broken: Vec<BrokenDriver>,
}

/// An installed driver that cannot be used.
#[derive(Debug)]
pub struct BrokenDriver {
    /// Its file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

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

impl Drivers {
    /// The drivers that come with the agent, and those installed in `folder`.
    pub fn find(folder: &Path) -> Drivers {
        let mut drivers = Drivers::default();
        for builtin in builtin::drivers() {
            match Manifest::parse(builtin.manifest.as_bytes()) {
                Ok(manifest) => drivers.add(Known {
                    manifest,
                    digest: builtin.digest.to_owned(),
                    origin: Origin::Builtin(builtin.component),
                }),
                Err(error) => {
                    drivers.broken.push(BrokenDriver { file: builtin.name.into(), reason: error.to_string() })
                }
            }
        }
        drivers.find_installed(folder);
        drivers
    }

    fn find_installed(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for file in entries.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("wasm".as_ref()))
        {
            match Installed::read(&file) {
                Ok(installed) if self.known.contains_key(&installed.manifest.name) => {
                    let reason = format!("{} comes with the agent", installed.manifest.name);
                    self.broken.push(BrokenDriver { file, reason });
                }
                Ok(Installed { manifest, digest }) => {
                    self.add(Known { manifest, digest, origin: Origin::Installed(file) })
                }
                Err(reason) => self.broken.push(BrokenDriver { file, reason }),
            }
        }
    }

    fn add(&mut self, known: Known) {
        let name = known.manifest.name.clone();
        for alias in &known.manifest.aliases {
            self.aliases.insert((name.group(), alias.clone()), name.clone());
        }
        self.known.insert(name, known);
    }

    /// A driver, by its name or an alias of it.
    pub fn get(&self, name: &DriverName) -> Option<&Known> {
        let name = self.aliases.get(&(name.group(), name.name().to_owned())).unwrap_or(name);
        self.known.get(name)
    }

    /// Every driver, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// Those that cannot be used.
    pub fn broken(&self) -> &[BrokenDriver] {
        &self.broken
    }
}

impl Schemas for Drivers {
    fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>> {
        let known = self.get(&DriverName::new(group, type_name).ok()?)?;
        Some(schema(&known.manifest))
    }

    /// Only of drivers that come with the agent: no other one gets into an object that does not name it.
    fn implicit(&self) -> Vec<Implicit<'_>> {
        let builtin = self.known.values().filter(|known| matches!(known.origin, Origin::Builtin(_)));
        let manifests = builtin.map(|known| &known.manifest);
        let named = manifests.filter_map(|manifest| Some((manifest.implicit.as_deref()?, manifest)));
        named.map(|(name, manifest)| Implicit { name, driver: schema(manifest) }).collect()
    }

    fn names(&self, group: Group) -> Vec<String> {
        let own = self.known.keys().filter(|name| name.group() == group).map(|name| name.name().to_owned());
        own.chain(self.aliases.keys().filter(|(of, _)| *of == group).map(|(_, alias)| alias.clone())).collect()
    }
}

fn schema(manifest: &Manifest) -> DriverSchema<'_> {
    DriverSchema { name: &manifest.name, keywords: &manifest.keywords }
}

/// What is written beside an installed component, so that knowing the driver needs no look into it.
struct Installed {
    manifest: Manifest,
    digest: String,
}

impl Installed {
    /// First line the digest, the rest the manifest.
    fn read(component: &Path) -> Result<Installed, String> {
        let path = component.with_extension("manifest");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (digest, manifest) = text.split_once('\n').ok_or_else(|| format!("{} is cut short", path.display()))?;
        let manifest = Manifest::parse(manifest.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Installed { manifest, digest: digest.to_owned() })
    }
}

/// A component's file, looked at.
#[derive(Debug)]
pub struct Component {
    /// What the driver says of itself.
    pub manifest: Manifest,
    /// `sha256:` and the digest.
    pub digest: String,
    bytes: Vec<u8>,
    json: String,
}

impl Component {
    /// Looks at a component's file. One that carries no manifest is asked for it, with no grants.
    pub async fn open(path: &Path, runtime: Result<&Runtime, &str>) -> Result<Component, InstallError> {
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
        Ok(Component { manifest, digest, bytes, json })
    }

    /// Installs it in `folder`. Nothing is granted by that.
    pub fn install(&self, drivers: &Drivers, folder: &Path, force: bool) -> Result<(), InstallError> {
        let name = &self.manifest.name;
        match drivers.known.get(name) {
            Some(Known { origin: Origin::Builtin(_), .. }) => return Err(InstallError::Builtin(name.clone())),
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
pub fn remove(drivers: &Drivers, name: &DriverName) -> Result<(), InstallError> {
    match drivers.known.get(name).map(|known| &known.origin) {
        None => Err(InstallError::Unknown(name.clone())),
        Some(Origin::Builtin(_)) => Err(InstallError::Builtin(name.clone())),
        Some(Origin::Installed(path)) => {
            durable::remove(&path.with_extension("manifest"))?;
            durable::remove(path)?;
            Ok(())
        }
    }
}
