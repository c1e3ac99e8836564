//! The directories, control groups and policies that the runtime needs on this node.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use capability::{CgroupSlice, InstancePaths, RecordPlace, ResourcePaths};
use driver::DriverCall;
use fnv::FnvHasher;
use grant::{Policy, PolicyError, SitePolicy};
use kernel::cgroup::Cgroup;
use model::{DriverName, ObjectPath};
use runtime::DriverCallNote;

use crate::Directories;
use crate::error_chain::chain;
use crate::file::durable;
use crate::node;

/// The slice of all services, see systemd.slice(5). An agent with a root directory of its own has a slice of its own, so that
/// two agents on one node never kill each other's processes.
pub fn slice_of(home: &Directories) -> PathBuf {
    const ALL: &str = "hostler.slice";
    if *home == Directories::system() {
        return ALL.into();
    }
    slice_below(Path::new(ALL), &home.etc, kernel::cgroup::root().as_deref())
}

/// The slice of the agent with this directory of configurations, where `root` is the mount point of the hierarchy.
fn slice_below(all: &Path, etc: &Path, root: Option<&Path>) -> PathBuf {
    let named = |hash: u64| all.join(format!("hostler-{hash:016x}.slice"));
    // What an agent of an earlier version has started is in a slice of another name, until a boot ends it.
    let earlier = named(earlier_hash(etc));
    match root.is_some_and(|root| root.join(&earlier).is_dir()) {
        true => earlier,
        false => named(hash(etc)),
    }
}

/// A name by content, not by chance: every process must find the same slice, whichever version of Rust has built it.
fn hash(etc: &Path) -> u64 {
    let mut hasher = FnvHasher::default();
    // By its components, so that `/srv/etc/` is `/srv/etc`.
    for part in etc.components() {
        hasher.write(part.as_os_str().as_bytes());
        hasher.write_u8(0);
    }
    hasher.finish()
}

/// As earlier versions named it: by std's hasher, whose algorithm may change with any release of Rust.
fn earlier_hash(etc: &Path) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    etc.hash(&mut hasher);
    hasher.finish()
}

/// The facilities of this node for the runtime.
pub(crate) struct NodePaths {
    home: Directories,
    /// The control group of everything that this agent runs.
    slice: Arc<CgroupSlice>,
    /// The policies of namespaces, as the latest request read them.
    namespaces: Mutex<BTreeMap<String, Result<Policy, String>>>,
    instances: Mutex<HashMap<ObjectPath, Arc<InstancePaths>>>,
    /// Who watches the calls of drivers.
    watcher: OnceLock<Box<CallWatcher>>,
}

/// Is called with each call of a driver that was made.
type CallWatcher = dyn Fn(&DriverCallNote<'_>) + Send + Sync;

/// The directories of so many instances are remembered. Calls come by instance: those of long ago are not asked for again soon.
const INSTANCES: usize = 64;

impl NodePaths {
    pub(crate) fn new(home: Directories) -> NodePaths {
        let slice = Arc::new(CgroupSlice::named(slice_of(&home).to_string_lossy().into_owned()));
        NodePaths { home, slice, namespaces: Mutex::default(), instances: Mutex::default(), watcher: OnceLock::new() }
    }

    /// Hands each call of a driver to `watcher` when it has ended. The first watcher is the only one.
    pub(crate) fn watch_calls(&self, watcher: impl Fn(&DriverCallNote<'_>) + Send + Sync + 'static) {
        // It fails for a second one.
        let _ = self.watcher.set(Box::new(watcher));
    }

    /// Reads the policy of a namespace: what its objects may make this node do. The calls that follow obey it too.
    pub(crate) fn read_namespace_policy(&self, namespace: &str) -> Result<Policy, String> {
        let policy = namespace_policy(&self.home, namespace);
        self.namespaces().insert(namespace.to_owned(), policy.clone());
        policy
    }

    /// The directories of an instance, put together once for all of its resources.
    pub(crate) fn instance(&self, object: &ObjectPath) -> Arc<InstancePaths> {
        let mut known = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paths) = known.get(object) {
            return Arc::clone(paths);
        }
        if known.len() >= INSTANCES {
            known.clear();
        }
        let paths = Arc::new(self.directories(object));
        known.insert(object.clone(), Arc::clone(&paths));
        paths
    }

    fn directories(&self, object: &ObjectPath) -> InstancePaths {
        let log = self.home.object_log(object);
        InstancePaths {
            rundir: self.home.volatile(object),
            config: self.home.config(object),
            logdir: log.parent().map_or_else(|| self.home.log.clone(), Path::to_owned),
            slice: Arc::clone(&self.slice),
            keeper: self.home.keeper(),
            holdings: self.home.holdings(object),
        }
    }

    fn namespaces(&self) -> MutexGuard<'_, BTreeMap<String, Result<Policy, String>>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl runtime::NodeFacilities for NodePaths {
    fn paths(&self, call: &DriverCall) -> ResourcePaths {
        let statedir = self.home.driver_state(&call.object, &call.rid);
        let record = RecordPlace::new(self.home.record(&call.object, &call.rid), &statedir);
        ResourcePaths { instance: self.instance(&call.object), statedir, record }
    }

    fn driver_policy(&self, driver: &DriverName) -> Result<Option<SitePolicy>, String> {
        let file = read(&policy_of(&self.home, driver), SitePolicy::parse)?;
        Ok(SitePolicy::limited(file, node::driver_limits(&self.home, driver)?))
    }

    fn namespace_policy(&self, namespace: &str) -> Result<Policy, String> {
        // A request has read it before its first call. Only a call outside any request reads it here.
        let known = self.namespaces().get(namespace).cloned();
        known.unwrap_or_else(|| self.read_namespace_policy(namespace))
    }

    fn called(&self, note: &DriverCallNote<'_>) {
        self.watcher.get().iter().for_each(|watcher| watcher(note));
    }

    fn namespace_policy_file(&self, namespace: &str) -> String {
        policy_of_namespace(&self.home, namespace).display().to_string()
    }
}

/// The policy of a namespace. Without a file, its objects may touch their own paths only.
fn namespace_policy(home: &Directories, namespace: &str) -> Result<Policy, String> {
    // The root namespace is the site's own: it is bounded by the policies of drivers alone.
    if namespace == "root" {
        return Ok(Policy::everything());
    }
    Ok(read(&policy_of_namespace(home, namespace), Policy::parse)?.unwrap_or_else(Policy::own_paths))
}

fn policy_of_namespace(home: &Directories, namespace: &str) -> PathBuf {
    home.etc.join("namespaces").join(namespace).join("policy")
}

/// The control group of everything that this agent runs, if this node has control groups.
pub fn control_group(home: &Directories) -> Option<PathBuf> {
    kernel::cgroup::available(&slice_of(home).to_string_lossy())
}

/// Removes the control groups of an object that hold no process any more: a group outlives a program that was killed.
pub(crate) fn remove_empty_groups(home: &Directories, object: &ObjectPath) {
    let slice = kernel::cgroup::root().map(|root| root.join(slice_of(home)));
    let group = slice.map(|slice| capability::control_group_of_object(&slice, object)).filter(|group| group.is_dir());
    group.map(Cgroup::at).iter().for_each(Cgroup::remove);
}

/// The file of the site's policy for a driver.
pub fn policy_of(home: &Directories, driver: &DriverName) -> PathBuf {
    home.etc.join("drivers.d").join(format!("{driver}.policy"))
}

/// Reads a policy. One that cannot be read is an error that says why: it must not count as absent, which may allow more.
fn read<T>(path: &Path, parse: fn(&str) -> Result<T, Vec<PolicyError>>) -> Result<Option<T>, String> {
    let Some(content) = durable::read(path).map_err(|error| chain(&error))? else { return Ok(None) };
    let text = String::from_utf8(content).map_err(|_| format!("{} is not utf-8", path.display()))?;
    let located = |errors: Vec<PolicyError>| {
        let lines = errors.iter().map(|e| format!("{}:{}:{}: {}", path.display(), e.line, e.column, e.reason));
        lines.collect::<Vec<_>>().join("\n")
    };
    parse(&text).map(Some).map_err(located)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_slice_is_the_same_for_every_build() {
        let all = Path::new("hostler.slice");
        let check = |etc: &str, expected: &str| {
            assert_eq!(slice_below(all, Path::new(etc), None), all.join(expected), "{etc}");
        };
        check("/srv/one/etc", "hostler-772cb0cd9801be9f.slice");
        check("/srv/one/etc/", "hostler-772cb0cd9801be9f.slice");
        check("/srv/two/etc", "hostler-3c122e69dfb52451.slice");
    }

    #[test]
    fn a_slice_that_an_earlier_version_has_made_is_used() {
        let root = tempfile::tempdir().unwrap();
        let (all, etc) = (Path::new("hostler.slice"), Path::new("/srv/one/etc"));
        let fresh = slice_below(all, etc, Some(root.path()));
        let earlier = all.join(format!("hostler-{:016x}.slice", earlier_hash(etc)));
        assert_ne!(fresh, earlier);
        std::fs::create_dir_all(root.path().join(&earlier)).unwrap();
        assert_eq!(slice_below(all, etc, Some(root.path())), earlier);
        assert_eq!(
            slice_below(all, Path::new("/srv/two/etc"), Some(root.path())),
            slice_below(all, Path::new("/srv/two/etc"), None)
        );
    }
}
