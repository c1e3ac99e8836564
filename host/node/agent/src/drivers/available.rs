//! The drivers at hand: those that come with the agent and those that the site installed, known by their manifests. None is
//! run to be known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use driver::Manifest;
use model::config::{DriverSchema, Implicit, Schemas};
use model::{DriverName, Group};

/// Where a driver's component is.
#[derive(Debug, Clone)]
pub enum DriverOrigin {
    /// In the agent itself.
    Builtin(&'static [u8]),
    /// A file that the site installed.
    Installed(PathBuf),
}

/// A driver at hand.
#[derive(Debug, Clone)]
pub struct AvailableDriver {
    /// What it says of itself.
    pub manifest: Manifest,
    /// `sha256:` and the hexadecimal digest of its component. Of an installed driver: as it was when it was installed.
    pub digest: String,
    /// Its component.
    pub origin: DriverOrigin,
}

/// The drivers at hand.
#[derive(Debug, Default)]
pub struct AvailableDrivers {
    pub(super) known: BTreeMap<DriverName, AvailableDriver>,
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

impl AvailableDrivers {
    /// The drivers that come with the agent, and those installed in `folder`.
    pub fn find(folder: &Path) -> AvailableDrivers {
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
        drivers.find_installed(folder);
        drivers
    }

    fn find_installed(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for file in entries.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("wasm".as_ref()))
        {
            match InstallRecord::read(&file) {
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

    /// Those that cannot be used.
    pub fn broken(&self) -> &[BrokenDriver] {
        &self.broken
    }
}

impl Schemas for AvailableDrivers {
    fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>> {
        let known = self.get(&DriverName::new(group, type_name).ok()?)?;
        Some(schema(&known.manifest))
    }

    /// Only of drivers that come with the agent: no other one gets into an object that does not name it.
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

/// What is written beside an installed component, so that knowing the driver needs no look into it.
struct InstallRecord {
    manifest: Manifest,
    digest: String,
}

impl InstallRecord {
    /// First line the digest, the rest the manifest.
    fn read(component: &Path) -> Result<InstallRecord, String> {
        let path = component.with_extension("manifest");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (digest, manifest) = text.split_once('\n').ok_or_else(|| format!("{} is cut short", path.display()))?;
        let manifest = Manifest::parse(manifest.as_bytes()).map_err(|error| error.to_string())?;
        Ok(InstallRecord { manifest, digest: digest.to_owned() })
    }
}
