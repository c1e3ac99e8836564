//! The directories, control groups and policies that the runtime needs on this node.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capability::{CgroupSlice, InstancePaths, RecordPlace, ResourcePaths};
use driver::DriverCall;
use grant::{Policy, PolicyError, SitePolicy};
use kernel::cgroup::Cgroup;
use model::{DriverName, ObjectPath};

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
    // A name by content, not by chance: every process must find the same slice. The standard hasher without keys does that.
    let mut hasher = std::hash::DefaultHasher::new();
    home.etc.hash(&mut hasher);
    Path::new(ALL).join(format!("hostler-{:016x}.slice", hasher.finish()))
}

/// The facilities of this node for the runtime.
pub(crate) struct NodePaths {
    home: Directories,
    /// The control group of everything that this agent runs.
    slice: Arc<CgroupSlice>,
    /// The policies of namespaces, as the latest request read them.
    namespaces: Mutex<BTreeMap<String, Result<Policy, String>>>,
    instances: Mutex<HashMap<ObjectPath, Arc<InstancePaths>>>,
}

/// The directories of so many instances are remembered. Calls come by instance: those of long ago are not asked for again soon.
const INSTANCES: usize = 64;

impl NodePaths {
    pub(crate) fn new(home: Directories) -> NodePaths {
        let slice = Arc::new(CgroupSlice::named(slice_of(&home).to_string_lossy().into_owned()));
        NodePaths { home, slice, namespaces: Mutex::default(), instances: Mutex::default() }
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
}

/// The policy of a namespace. Without a file, its objects may touch their own paths only.
fn namespace_policy(home: &Directories, namespace: &str) -> Result<Policy, String> {
    // The root namespace is the site's own: it is bounded by the policies of drivers alone.
    if namespace == "root" {
        return Ok(Policy::everything());
    }
    let path = home.etc.join("namespaces").join(namespace).join("policy");
    Ok(read(&path, Policy::parse)?.unwrap_or_else(Policy::own_paths))
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
