//! The available drivers: those that come with the agent and those that the site installed. The agent knows them by their
//! manifests and runs none of them to list them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{DriverSchema, Implicit, Schemas};
use driver::Manifest;
use model::{DriverName, Group};

/// Where the component of a driver is.
#[derive(Debug, Clone)]
pub enum DriverOrigin {
    /// Built into the agent.
    Builtin(&'static [u8]),
    /// A file that the site installed.
    Installed(PathBuf),
}

/// A driver that resources can use.
#[derive(Debug, Clone)]
pub struct AvailableDriver {
    pub manifest: Manifest,
    /// `sha256:` and the hexadecimal digest of its component. Of an installed driver: the digest at its installation.
    pub digest: String,
    pub origin: DriverOrigin,
}

/// All drivers that resources can use, by name and alias.
#[derive(Debug, Default)]
pub struct AvailableDrivers {
    pub(super) known: BTreeMap<DriverName, AvailableDriver>,
    aliases: BTreeMap<(Group, String), DriverName>,
    broken: Vec<BrokenDriver>,
}

/// An installed driver that cannot be used.
#[derive(Debug)]
pub struct BrokenDriver {
    pub file: PathBuf,
    pub reason: String,
}

impl AvailableDrivers {
    /// The drivers that come with the agent, and those installed in a directory.
    pub fn find(directory: &Path) -> AvailableDrivers {
        let mut drivers = AvailableDrivers::default();
        for builtin in builtin::drivers() {
            match Manifest::parse(builtin.manifest.as_bytes()) {
                Ok(manifest) => drivers.add(AvailableDriver {
                    manifest,
                    digest: builtin.digest.to_owned(),
                    origin: DriverOrigin::Builtin(builtin.component),
                }),
                Err(error) => {
                    drivers.broken.push(BrokenDriver { file: builtin.name.into(), reason: error.to_string() })
                }
            }
        }
        drivers.find_installed(directory);
        drivers
    }

    fn find_installed(&mut self, directory: &Path) {
        let Ok(entries) = std::fs::read_dir(directory) else { return };
        for file in entries.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("wasm".as_ref()))
        {
            match InstallRecord::read(&file) {
                // Otherwise a site could replace a driver that runs with a built-in driver's trust.
                Ok(installed) if self.known.contains_key(&installed.manifest.name) => {
                    let reason = format!("{} comes with the agent", installed.manifest.name);
                    self.broken.push(BrokenDriver { file, reason });
                }
                Ok(InstallRecord { manifest, digest }) => {
                    self.add(AvailableDriver { manifest, digest, origin: DriverOrigin::Installed(file) })
                }
                Err(reason) => self.broken.push(BrokenDriver { file, reason }),
            }
        }
    }

    fn add(&mut self, known: AvailableDriver) {
        let name = known.manifest.name.clone();
        for alias in &known.manifest.aliases {
            self.aliases.insert((name.group(), alias.clone()), name.clone());
        }
        self.known.insert(name, known);
    }

    /// A driver, by its name or an alias of it.
    pub fn get(&self, name: &DriverName) -> Option<&AvailableDriver> {
        let name = self.aliases.get(&(name.group(), name.name().to_owned())).unwrap_or(name);
        self.known.get(name)
    }

    /// Every driver, by name.
    pub fn iter(&self) -> impl Iterator<Item = &AvailableDriver> {
        self.known.values()
    }

    /// The drivers that cannot be used.
    pub fn broken(&self) -> &[BrokenDriver] {
        &self.broken
    }
}

impl Schemas for AvailableDrivers {
    fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>> {
        let known = self.get(&DriverName::new(group, type_name).ok()?)?;
        Some(schema(&known.manifest))
    }

    /// Only drivers that come with the agent: a driver of a third party gets into no object that does not name it.
    fn implicit(&self) -> Vec<Implicit<'_>> {
        let builtin = self.known.values().filter(|known| matches!(known.origin, DriverOrigin::Builtin(_)));
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

/// The file beside an installed component, so that the agent knows the driver without reading its component.
struct InstallRecord {
    manifest: Manifest,
    digest: String,
}

impl InstallRecord {
    /// The first line is the digest, the rest is the manifest.
    fn read(component: &Path) -> Result<InstallRecord, String> {
        let path = component.with_extension("manifest");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (digest, manifest) = text.split_once('\n').ok_or_else(|| format!("{} is cut short", path.display()))?;
        let manifest = Manifest::parse(manifest.as_bytes()).map_err(|error| error.to_string())?;
        Ok(InstallRecord { manifest, digest: digest.to_owned() })
    }
}
