//! The available drivers: those that come with the agent and those that the site installed. The agent knows them by their
//! manifests and runs none of them to list them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use builtin::BuiltinDriver;
use config::{DriverSchema, DriverSchemas, ImplicitResource};
use driver::Manifest;
use model::{DriverName, Group};

use crate::file::durable;

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
#[derive(Debug)]
pub struct AvailableDrivers {
    embedded: Vec<EmbeddedDriver>,
    installed: BTreeMap<DriverName, AvailableDriver>,
    /// Other names of installed drivers.
    aliases: BTreeMap<(Group, String), DriverName>,
    broken: Vec<BrokenDriver>,
}

/// A driver that comes with the agent. Its manifest is parsed when the driver is asked for: to parse all of them takes longer
/// than most commands do.
#[derive(Debug)]
struct EmbeddedDriver {
    builtin: &'static BuiltinDriver,
    parsed: OnceLock<Result<AvailableDriver, BrokenDriver>>,
}

impl EmbeddedDriver {
    fn parsed(&self) -> Result<&AvailableDriver, &BrokenDriver> {
        let EmbeddedDriver { builtin, parsed } = self;
        let parse = || match Manifest::parse(builtin.manifest.as_bytes()) {
            Ok(manifest) => Ok(AvailableDriver {
                manifest,
                digest: builtin.digest.to_owned(),
                origin: DriverOrigin::Builtin(builtin.component),
            }),
            Err(error) => Err(BrokenDriver { file: builtin.name.into(), reason: error.to_string() }),
        };
        parsed.get_or_init(parse).as_ref()
    }

    /// `disk`, `loop`.
    fn group_and_name(&self) -> (&'static str, &'static str) {
        self.builtin.name.split_once('.').unwrap_or((self.builtin.name, ""))
    }
}

/// An installed driver that cannot be used.
#[derive(Debug)]
pub struct BrokenDriver {
    pub file: PathBuf,
    pub reason: String,
}

/// A driver would be called as another one is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{driver} calls itself {word:?}, which is {holder} already: a section of type {word} would mean both")]
pub struct NameClash {
    pub driver: DriverName,
    pub word: String,
    pub holder: DriverName,
}

impl AvailableDrivers {
    /// The drivers that come with the agent, and those installed in a directory.
    pub fn find(directory: &Path) -> AvailableDrivers {
        let embedded = |builtin| EmbeddedDriver { builtin, parsed: OnceLock::new() };
        let mut drivers = AvailableDrivers {
            embedded: builtin::drivers().iter().map(embedded).collect(),
            installed: BTreeMap::new(),
            aliases: BTreeMap::new(),
            broken: Vec::new(),
        };
        drivers.find_installed(directory);
        drivers
    }

    fn find_installed(&mut self, directory: &Path) {
        let Ok(entries) = std::fs::read_dir(directory) else { return };
        for file in entries.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("wasm".as_ref()))
        {
            match InstallRecord::read(&file) {
                // Otherwise a site could replace a driver that runs with a built-in driver's trust.
                Ok(installed) if self.named(&installed.manifest.name).is_some() => {
                    let reason = format!("{} comes with the agent", installed.manifest.name);
                    self.broken.push(BrokenDriver { file, reason });
                }
                Ok(InstallRecord { manifest, digest }) => {
                    self.add(AvailableDriver { manifest, digest, origin: DriverOrigin::Installed(file) })
                }
                Err(reason) => self.broken.push(BrokenDriver { file, reason }),
            }
        }
        self.find_aliases();
    }

    fn add(&mut self, known: AvailableDriver) {
        self.installed.insert(known.manifest.name.clone(), known);
    }

    /// Once all names are known. A name that a driver has is no alias of another one, and of two drivers with one alias the first
    /// has it, however they came here: an installation refuses both.
    fn find_aliases(&mut self) {
        let mut aliases = BTreeMap::new();
        for (name, known) in &self.installed {
            for alias in &known.manifest.aliases {
                if self.holder_of(name.group(), alias).is_none() {
                    aliases.entry((name.group(), alias.clone())).or_insert_with(|| name.clone());
                }
            }
        }
        self.aliases = aliases;
    }

    /// A driver, by its name or an alias of it: the names first, and those of the agent before those of the site.
    pub fn get(&self, name: &DriverName) -> Option<&AvailableDriver> {
        self.named(name).or_else(|| {
            let is_meant = |driver: &EmbeddedDriver| driver.builtin.aliases.contains(&name.name());
            self.find_embedded(name.group(), is_meant).or_else(|| {
                let alias = (name.group(), name.name().to_owned());
                self.aliases.get(&alias).and_then(|name| self.installed.get(name))
            })
        })
    }

    /// The driver whose name or alias a word of a group is.
    fn holder_of(&self, group: Group, word: &str) -> Option<&AvailableDriver> {
        DriverName::new(group, word).ok().and_then(|name| self.get(&name))
    }

    /// What keeps a driver from being told apart from another one, by its name or by an alias.
    pub(crate) fn clash(&self, manifest: &Manifest) -> Option<NameClash> {
        let name = &manifest.name;
        let words = std::iter::once(name.name()).chain(manifest.aliases.iter().map(String::as_str));
        let mut holders = words.filter_map(|word| Some((word, self.holder_of(name.group(), word)?)));
        holders.find(|(_, holder)| holder.manifest.name != *name).map(|(word, holder)| NameClash {
            driver: name.clone(),
            word: word.to_owned(),
            holder: holder.manifest.name.clone(),
        })
    }

    /// A driver, by its name alone.
    pub(crate) fn named(&self, name: &DriverName) -> Option<&AvailableDriver> {
        let embedded = self.find_embedded(name.group(), |driver| driver.group_and_name().1 == name.name());
        embedded.or_else(|| self.installed.get(name))
    }

    fn find_embedded(&self, group: Group, is_meant: impl Fn(&EmbeddedDriver) -> bool) -> Option<&AvailableDriver> {
        let mut of_group = self.embedded.iter().filter(|driver| driver.group_and_name().0 == group.as_str());
        of_group.find(|driver| is_meant(driver))?.parsed().ok()
    }

    /// Every driver, by name.
    pub fn iter(&self) -> impl Iterator<Item = &AvailableDriver> {
        let embedded = self.embedded.iter().filter_map(|driver| driver.parsed().ok());
        let mut all: Vec<&AvailableDriver> = embedded.chain(self.installed.values()).collect();
        all.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name));
        all.into_iter()
    }

    /// The drivers that cannot be used.
    pub fn broken(&self) -> impl Iterator<Item = &BrokenDriver> {
        self.embedded.iter().filter_map(|driver| driver.parsed().err()).chain(&self.broken)
    }
}

impl DriverSchemas for AvailableDrivers {
    fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>> {
        let known = self.get(&DriverName::new(group, type_name).ok()?)?;
        Some(schema(&known.manifest))
    }

    /// Only drivers that come with the agent: a driver of a third party gets into no object that does not name it.
    fn implicit(&self) -> Vec<ImplicitResource<'_>> {
        let implicit = self.embedded.iter().filter(|driver| driver.builtin.implicit);
        let manifests = implicit.filter_map(|driver| Some(&driver.parsed().ok()?.manifest));
        let named = manifests.filter_map(|manifest| Some((manifest.implicit.as_deref()?, manifest)));
        named.map(|(name, manifest)| ImplicitResource { name, driver: schema(manifest) }).collect()
    }

    fn names(&self, group: Group) -> Vec<String> {
        let embedded = || self.embedded.iter().filter(|driver| driver.group_and_name().0 == group.as_str());
        let own = embedded().map(|driver| driver.group_and_name().1.to_owned());
        let installed = self.installed.keys().filter(|name| name.group() == group).map(|name| name.name().to_owned());
        let mut names: Vec<String> = own.chain(installed).collect();
        names.sort();
        let own = embedded().flat_map(|driver| driver.builtin.aliases).map(|alias| (*alias).to_owned());
        let installed = self.aliases.keys().filter(|(of, _)| *of == group).map(|(_, alias)| alias.clone());
        let mut aliases: Vec<String> = own.chain(installed).collect();
        aliases.sort();
        names.into_iter().chain(aliases).collect()
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
        let content = durable::read(&path).map_err(|error| crate::chain(&error))?;
        let content = content.ok_or_else(|| format!("{} does not exist", path.display()))?;
        let text = String::from_utf8(content).map_err(|_| format!("{} is not utf-8", path.display()))?;
        let (digest, manifest) = text.split_once('\n').ok_or_else(|| format!("{} is cut short", path.display()))?;
        let manifest = Manifest::parse(manifest.as_bytes()).map_err(|error| error.to_string())?;
        Ok(InstallRecord { manifest: manifest.foreign(), digest: digest.to_owned() })
    }
}
