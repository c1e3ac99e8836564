//! What a service keeps in its volume beside its own data: directories, and keys of data stores as files. A driver sees no value of it.
//!
//! The volume may belong to users who are not to be trusted. So no path is followed out of it, a file gets its mode before its content,
//! and outside of `root` the namespace's policy decides, see [`ContentRights`].

use std::path::{Path, PathBuf};

use capability::CapabilityError;
use capability::volume::VolumeCall;
use config::Document;
use driver::{KeywordValue, LogSeverity};
use exec::blocking;
use kernel::KernelError;
use kernel::files::ownership::{OwnershipTerms, gid_of, set_mode, set_owner, uid_of};
use kernel::files::{FileKind, FileLifetime, SET_ID};
use model::select::GlobPattern;
use model::{Group, ObjectKind, ObjectPath};

use super::look;
use super::place::{ContentRights, mount_point};
use super::{signals, users};
use crate::agent::Agent;
use crate::datastore::DataStoreError;
use crate::{DataStores, Directories};

/// The mode of a secret.
const PRIVATE: u32 = 0o600;
/// The mode of a configuration.
const PUBLIC: u32 = 0o644;
/// The mode of a directory.
const OPEN: u32 = 0o755;
/// The longest file that is compared with what is to be written.
const LONGEST: u64 = 16 << 20;

/// A key of a data store, and where it goes.
#[derive(Debug, Clone)]
struct InstallRule {
    store: ObjectPath,
    key: GlobPattern,
    /// A path below the mount point. A directory if it ends with a slash.
    to: String,
}

/// What the keywords of a resource say.
#[derive(Debug, Clone)]
struct ContentPlan {
    rules: Vec<InstallRule>,
    directories: Vec<String>,
    uid: Option<u32>,
    gid: Option<u32>,
    perm: Option<u32>,
    dirperm: Option<u32>,
}

/// What was done: the paths that were written, and whether a file of before is another one now.
#[derive(Debug, Default)]
struct InstallOutcome {
    written: Vec<String>,
    replaced: bool,
}

/// Installs what the keywords of the resource that asks name, and signals the resources that read it. Returns the paths below the
/// mount point that were written.
pub(super) async fn install(agent: &Agent, call: &VolumeCall) -> Result<Vec<String>, CapabilityError> {
    let volume = call.volume()?;
    let plan = ContentPlan::of(&call.subject.object, |name| call.values(name).to_vec())?;
    let installed = install_into(agent, &volume, plan).await?;
    if installed.replaced {
        for sent in signals::send(agent.home(), &call.subject.object, call.values("signal")).await {
            let (level, text) = match &sent {
                Ok(text) => (LogSeverity::Info, text),
                Err(text) => (LogSeverity::Warn, text),
            };
            call.log.line(Some(&call.subject.rid), level, text);
        }
    }
    Ok(installed.written)
}

impl Agent {
    /// Installs a data store anew in the volumes of this node that are in use, after a change of its keys. Returns what was done and
    /// what failed, a sentence each.
    pub async fn install_again(&self, store: &ObjectPath) -> Vec<Result<String, String>> {
        let (agent, of) = (self.clone(), store.clone());
        let readers = blocking(move || readers(&agent, &of)).await;
        let mut done = Vec::new();
        for VolumeReader { object, rid, volume, plan, signal } in readers {
            match install_into(self, &volume, plan).await {
                Ok(installed) => {
                    let words =
                        installed.written.iter().map(|path| format!("{object} {rid}: wrote {path} in {volume}"));
                    done.extend(words.map(Ok));
                    if installed.replaced {
                        done.extend(signals::send(self.home(), &object, &signal).await);
                    }
                }
                Err(error) => done.push(Err(format!("{object} {rid}: {error}"))),
            }
        }
        done
    }
}

/// A resource that has keys of a data store in its volume.
struct VolumeReader {
    object: ObjectPath,
    rid: model::Rid,
    volume: ObjectPath,
    plan: ContentPlan,
    signal: Vec<String>,
}

/// The resources that use their volumes now, and have keys of the store in them. Blocks.
fn readers(agent: &Agent, store: &ObjectPath) -> Vec<VolumeReader> {
    let objects = crate::ObjectFiles::of(agent.home()).list().unwrap_or_default();
    // A service names stores of its own namespace only, see `InstallRule::read`.
    let is_near = |object: &ObjectPath| object.kind() == ObjectKind::Svc && object.namespace() == store.namespace();
    let mut found = Vec::new();
    for path in objects.into_iter().filter(is_near) {
        // Most services have no volume: their text says so at once.
        let text = crate::ObjectFiles::of(agent.home()).text(&path).unwrap_or_default();
        if !Document::parse(text).sections().iter().any(|section| section.name.starts_with("volume#")) {
            continue;
        }
        let Ok(read) = agent.configuration(&path) else { continue };
        let Ok(object) = read.object() else { continue };
        for resource in object.resources.iter().filter(|resource| resource.rid.group() == Group::Volume) {
            let keywords = resource.evaluate(&()).keywords;
            let values = |name: &str| {
                let keyword = keywords.iter().find(|keyword: &&KeywordValue| keyword.name == name);
                keyword.map(|keyword| keyword.values.clone()).unwrap_or_default()
            };
            let volume =
                values("name").pop().and_then(|name| ObjectPath::new(path.namespace(), ObjectKind::Vol, &name).ok());
            let plan =
                ContentPlan::of(&path, values).ok().filter(|plan| plan.rules.iter().any(|rule| rule.store == *store));
            if let (Some(volume), Some(plan)) = (volume, plan)
                && users::uses(agent.home(), &volume, &path, &resource.rid)
            {
                let (object, rid, signal) = (path.clone(), resource.rid.clone(), values("signal"));
                found.push(VolumeReader { object, rid, volume, plan, signal });
            }
        }
    }
    found
}

async fn install_into(
    agent: &Agent,
    volume: &ObjectPath,
    plan: ContentPlan,
) -> Result<InstallOutcome, CapabilityError> {
    let absent = || CapabilityError::NotFound(format!("the volume {volume}"));
    let (snapshot, seen) = look::status(agent, volume).await?.ok_or_else(absent)?;
    let object = snapshot.object().map_err(|error| CapabilityError::Other(error.to_string()))?;
    let is_down = matches!(seen.sums.avail, model::status::State::Down | model::status::State::StdbyDown);
    let (rid, place) = mount_point(object, &seen).filter(|_| !is_down).ok_or_else(|| {
        let text = format!("{volume} is not mounted now, so that nothing can be written into it");
        CapabilityError::Invalid(text)
    })?;
    let (home, volume) = (agent.home().clone(), volume.clone());
    blocking(move || {
        let root = kernel::files::real_path(&place)
            .map_err(of_kernel)?
            .ok_or_else(|| CapabilityError::NotFound(format!("the directory {}", place.display())))?;
        let rights = ContentRights::of(&home, &volume, &snapshot, (&rid, &root))?;
        plan.carry_out(&home, &root, &rights)
    })
    .await
}

impl ContentPlan {
    fn of(object: &ObjectPath, values: impl Fn(&str) -> Vec<String>) -> Result<ContentPlan, CapabilityError> {
        let mut rules = Vec::new();
        for (keyword, kind) in [("configs", ObjectKind::Cfg), ("secrets", ObjectKind::Sec)] {
            for word in values(keyword) {
                rules.push(
                    InstallRule::read(&word, kind, object).ok_or_else(|| {
                        CapabilityError::Invalid(format!("{keyword}: {word:?} is not STORE/KEY:PATH"))
                    })?,
                );
            }
        }
        let one = |name: &str| values(name).pop();
        let wrong = |error: KernelError| CapabilityError::Invalid(error.to_string());
        let mode = |name: &str| one(name).and_then(|mode| mode.parse::<u32>().ok());
        let perm = mode("perm");
        if let Some(mode) = perm.filter(|mode| mode & SET_ID != 0) {
            let text = format!("perm: {mode:o} would make the keys of data stores set-user-id programs");
            return Err(CapabilityError::Invalid(text));
        }
        Ok(ContentPlan {
            rules,
            directories: values("directories"),
            uid: one("user").map(|user| uid_of(&user)).transpose().map_err(wrong)?,
            gid: one("group").map(|group| gid_of(&group)).transpose().map_err(wrong)?,
            perm,
            dirperm: mode("dirperm"),
        })
    }

    /// Blocks.
    fn carry_out(
        &self,
        home: &Directories,
        root: &Path,
        rights: &ContentRights,
    ) -> Result<InstallOutcome, CapabilityError> {
        let within = |real: &Path| match real.starts_with(root) {
            true => Ok(()),
            false => Err(KernelError::Invalid(format!("a link leads out of the volume, to {}", real.display()))),
        };
        kernel::path::judging_links(&within, || self.install_below(home, root, rights))
    }

    fn install_below(
        &self,
        home: &Directories,
        root: &Path,
        rights: &ContentRights,
    ) -> Result<InstallOutcome, CapabilityError> {
        let mut installed = InstallOutcome::default();
        let wanted = self.dirperm.is_some() || self.perm.is_some();
        if wanted {
            rights.may_write(root)?;
            rights.may_have_mode(self.directory_mode())?;
            set_mode(root, self.directory_mode(), OwnershipTerms::default()).map_err(of_kernel)?;
        }
        self.own(root, rights)?;
        for directory in &self.directories {
            if self.directory(root, &below(root, directory)?, rights)? {
                installed.written.push(format!("/{}", directory.trim_matches('/')));
            }
        }
        for rule in &self.rules {
            for (to, content) in rule.files(home)? {
                let path = below(root, &to)?;
                if let Some(parent) = path.parent() {
                    self.directory(root, parent, rights)?;
                }
                if let Some(replaced) = self.file(&path, &content, rule.store.kind(), rights)? {
                    installed.written.push(format!("/{}", to.trim_start_matches('/')));
                    installed.replaced |= replaced;
                }
            }
        }
        Ok(installed)
    }

    fn directory_mode(&self) -> u32 {
        // A user who may read the files may enter the directory.
        let entering = |mode: u32| mode | ((mode & 0o444) >> 2);
        self.dirperm.or(self.perm.map(entering)).unwrap_or(OPEN)
    }

    /// Makes a directory, and those above it within the volume. False if it was there.
    fn directory(&self, root: &Path, path: &Path, rights: &ContentRights) -> Result<bool, CapabilityError> {
        let mut missing: Vec<&Path> = path.ancestors().take_while(|above| *above != root).collect();
        missing.reverse();
        let mut made = false;
        for directory in missing {
            rights.may_write(directory)?;
            rights.may_have_mode(self.directory_mode())?;
            if kernel::files::make_directory(directory, self.directory_mode()).map_err(of_kernel)? {
                self.own(directory, rights)?;
                made = true;
            }
        }
        Ok(made)
    }

    /// Writes a file. None if it is like that already; otherwise whether there was another one.
    fn file(
        &self,
        path: &Path,
        content: &[u8],
        kind: ObjectKind,
        rights: &ContentRights,
    ) -> Result<Option<bool>, CapabilityError> {
        rights.may_write(path)?;
        let mode = self.perm.unwrap_or(if kind == ObjectKind::Sec { PRIVATE } else { PUBLIC });
        let found = kernel::files::stat(path).map_err(of_kernel)?;
        if found.as_ref().is_some_and(|found| found.kind != FileKind::File) {
            return Err(CapabilityError::Invalid(format!("{} exists and is not a file", path.display())));
        }
        let is_there = found.is_some();
        if is_there {
            // First: another user must not read the new content by the mode of the old one.
            set_mode(path, mode, OwnershipTerms::default()).map_err(of_kernel)?;
        }
        // The same content is not written again: its readers would be signalled for nothing at each start.
        let same = is_there && kernel::files::read(path, LONGEST).is_ok_and(|old| old == content);
        if !same {
            kernel::files::write(path, content, mode, FileLifetime::Durable).map_err(of_kernel)?;
        }
        self.own(path, rights)?;
        Ok((!same).then_some(is_there))
    }

    fn own(&self, path: &Path, rights: &ContentRights) -> Result<(), CapabilityError> {
        if self.uid.is_some() || self.gid.is_some() {
            rights.may_write(path)?;
        }
        if let Some(gid) = self.gid {
            let owner = || kernel::files::stat(path).map(|found| found.map_or(0, |found| found.uid)).map_err(of_kernel);
            rights.may_have_group(self.uid.map_or_else(owner, Ok)?, gid)?;
        }
        if self.uid.is_some() || self.gid.is_some() {
            set_owner(path, self.uid, self.gid, OwnershipTerms::default()).map_err(of_kernel)?;
        }
        Ok(())
    }
}

impl InstallRule {
    /// Reads `STORE/KEY:PATH`, with or without the kind of the store before it and options behind the path.
    fn read(word: &str, kind: ObjectKind, object: &ObjectPath) -> Option<InstallRule> {
        let (from, to) = word.split_once(':')?;
        let to = to.split(':').next()?;
        let from = from.trim_start_matches('/');
        let own = from.strip_prefix(kind.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let (store, key) = own.unwrap_or(from).split_once('/')?;
        let store = ObjectPath::new(object.namespace(), kind, store).ok()?;
        (!to.is_empty() && !key.is_empty()).then_some(())?;
        Some(InstallRule { store, key: GlobPattern::new(key).ok()?, to: to.to_owned() })
    }

    /// The files that the keys of the store are written to, with their contents.
    fn files(&self, home: &Directories) -> Result<Vec<(String, Vec<u8>)>, CapabilityError> {
        let failed =
            |error: DataStoreError| CapabilityError::Other(format!("{}: {}", self.store, crate::chain(&error)));
        let stores = DataStores::of(home);
        let keys = stores.keys(&self.store).map_err(failed)?;
        let keys: Vec<String> = keys.into_iter().filter(|key| self.key.matches(key)).collect();
        if keys.is_empty() {
            let text = format!("{} has no key {}", self.store, self.key.as_str());
            return Err(CapabilityError::NotFound(text));
        }
        let file = |key: String| {
            let content = stores.value(&self.store, &key).map_err(failed)?;
            let to = if self.to.ends_with('/') { format!("{}{key}", self.to) } else { self.to.clone() };
            Ok((to, content))
        };
        keys.into_iter().map(file).collect()
    }
}

/// The path below the mount point.
fn below(root: &Path, to: &str) -> Result<PathBuf, CapabilityError> {
    let mut path = root.to_owned();
    for part in to.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return Err(CapabilityError::Invalid(format!("{to:?} leaves the volume")));
        }
        path.push(part);
    }
    Ok(path)
}

fn of_kernel(error: KernelError) -> CapabilityError {
    CapabilityError::Other(error.to_string())
}
