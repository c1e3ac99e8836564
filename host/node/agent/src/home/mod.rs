//! The directories of the agent, and the name of this node.
//!
//! `--root DIR` or `HOSTLER_ROOT` moves every path below one directory, so that a trial needs no rights and touches nothing of
//! the system.

pub mod layout;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use capability::holdings::LedgerPlaces;
use model::InvalidNodeName;
use model::{NodeName, ObjectPath, Rid};
use protocol::ConfigTarget;

use crate::file::durable::{self, FileError};

/// The mode of the run directory.
const PRIVATE: u32 = 0o700;

/// The directories of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// Configurations.
    pub etc: PathBuf,
    /// What must survive a reboot: states, journals, the last valid configurations.
    pub var: PathBuf,
    /// Logs.
    pub log: PathBuf,
    /// What must not survive a reboot: locks, sockets.
    pub run: PathBuf,
    /// What can be recreated: compiled drivers.
    pub cache: PathBuf,
    /// What resources keep until the next reboot, such as flags.
    pub volatile: PathBuf,
}

/// Why the directories or the name of the node are unknown.
#[derive(Debug, thiserror::Error)]
pub enum DirectoriesError {
    /// The root cannot be made an absolute path.
    #[error("the root {0} is not a directory")]
    Root(PathBuf, #[source] std::io::Error),
    /// The name of the node is not a valid node name.
    #[error("the node has no usable name: set HOSTLER_NODENAME")]
    NodeName(#[source] InvalidNodeName),
}

impl Directories {
    /// The directories of an installed agent.
    pub fn system() -> Directories {
        Directories {
            etc: "/etc/hostler".into(),
            var: "/var/lib/hostler".into(),
            log: "/var/log/hostler".into(),
            run: "/run/hostler".into(),
            cache: "/var/cache/hostler".into(),
            volatile: "/run/hostler".into(),
        }
    }

    /// All directories below one directory.
    pub fn under(root: &Path) -> Directories {
        Directories {
            etc: root.join("etc"),
            var: root.join("var"),
            log: root.join("log"),
            run: root.join("run"),
            cache: root.join("cache"),
            volatile: root.join("run"),
        }
    }

    /// All directories below one that is removed at the end of the test.
    #[cfg(test)]
    pub(crate) fn temporary() -> (tempfile::TempDir, Directories) {
        let root = tempfile::tempdir().unwrap();
        let home = Directories::under(root.path());
        (root, home)
    }

    /// The directories that the command line and the environment ask for. The command line wins.
    pub fn find(root: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Result<Directories, DirectoriesError> {
        // An empty variable counts as unset, as scripts unset one for a single command that way.
        let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = root.map(Path::to_owned).or_else(|| set("HOSTLER_ROOT"));
        let mut home = match root {
            Some(root) => {
                Directories::under(&std::path::absolute(&root).map_err(|source| DirectoriesError::Root(root, source))?)
            }
            None => Directories::system(),
        };
        if let Some(cache) = set("HOSTLER_CACHE") {
            // The daemon leaves the directory that it was started in.
            home.cache = std::path::absolute(&cache).unwrap_or(cache);
        }
        Ok(home)
    }

    /// Checks that no other user can change what is in these directories: each that exists, and all above it. The run directory is
    /// made, or closed to others, before anything in it is used: where there are locks, to read is to hold.
    pub(crate) fn check(&self) -> Result<(), FileError> {
        if self.etc.is_dir() {
            // A directory that cannot be made is missed by what needs it, and by nothing else.
            let _ = DirBuilder::new().mode(PRIVATE).create(&self.run);
        }
        let mut above = BTreeSet::new();
        for directory in [&self.etc, &self.var, &self.log, &self.run] {
            // A user who may change a directory above could put another one in the place of this one.
            above.extend(directory.ancestors());
        }
        for directory in above {
            match kernel::path::check_directory(directory) {
                Err(error) if directory.exists() => {
                    return Err(FileError::new("use", directory)(durable::as_io(error)));
                }
                _ => {}
            }
        }
        let closed = fs::metadata(&self.run).map_or(true, |found| found.mode() & 0o777 & !PRIVATE == 0);
        // Only its owner can close it. A command of another user goes on: what it may not open says so itself.
        if !closed && fs::metadata(&self.run).is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw()) {
            let _ = fs::set_permissions(&self.run, fs::Permissions::from_mode(PRIVATE));
        }
        Ok(())
    }

    /// The node's own configuration, `node.conf`.
    pub fn node_config(&self) -> PathBuf {
        self.etc.join("node.conf")
    }

    /// The key that this node encrypts secrets with.
    pub fn sealing_key(&self) -> PathBuf {
        self.etc.join("secrets.key")
    }

    /// The state of the node.
    pub fn node_state(&self) -> PathBuf {
        self.var.join("node")
    }

    /// The configuration of an object.
    pub fn config(&self, object: &ObjectPath) -> PathBuf {
        self.etc.join(layout::config_file(object))
    }

    /// The state of the instance of an object.
    pub fn state(&self, object: &ObjectPath) -> PathBuf {
        self.var.join(layout::directory(object))
    }

    /// The directory in which the driver of a resource keeps its own state.
    pub fn driver_state(&self, object: &ObjectPath, rid: &Rid) -> PathBuf {
        layout::driver_state(&self.state(object), rid)
    }

    /// The directory of the host's own record of a resource.
    pub(crate) fn record(&self, object: &ObjectPath, rid: &Rid) -> PathBuf {
        layout::record(&self.state(object), rid)
    }

    /// The directory of the audit trails of all drivers.
    pub fn audit(&self) -> PathBuf {
        self.log.join("audit")
    }

    /// The drivers that the site installed.
    pub fn installed_drivers(&self) -> PathBuf {
        self.var.join("drivers")
    }

    /// The log of an object.
    pub fn object_log(&self, object: &ObjectPath) -> PathBuf {
        self.log.join(layout::file(object, "log"))
    }

    /// The lock of actions on the instance of an object.
    pub fn action_lock(&self, object: &ObjectPath) -> PathBuf {
        self.run.join("lock").join(layout::directory(object).with_added_extension("action"))
    }

    /// The directory with the locks of an object's runs.
    pub fn runs(&self, object: &ObjectPath) -> PathBuf {
        self.run.join("runs").join(layout::directory(object))
    }

    /// The journal of those actions on the instance of an object that a reboot undoes.
    pub fn volatile_journal(&self, object: &ObjectPath) -> PathBuf {
        self.run.join("journal").join(layout::directory(object))
    }

    /// The last action on the instance of an object.
    pub fn last_action(&self, object: &ObjectPath) -> PathBuf {
        self.run.join("action").join(layout::directory(object))
    }

    /// What the resources of an object stood on when they were started.
    pub(crate) fn footing(&self, object: &ObjectPath) -> PathBuf {
        self.run.join("footing").join(layout::directory(object))
    }

    /// Which resources use a volume. Not in the volume's run directory, where its drivers may write.
    pub(crate) fn volume_users(&self, volume: &ObjectPath) -> PathBuf {
        self.run.join("volumes").join(layout::directory(volume))
    }

    /// The ledger of what the resources of an object hold: not where drivers may write, and not what goes with the object, as things
    /// may be held for an object that was deleted.
    pub fn holdings(&self, object: &ObjectPath) -> LedgerPlaces {
        let place = |directory: &Path, name: &str| directory.join(name).join(layout::directory(object));
        LedgerPlaces {
            boot: place(&self.run, "holdings"),
            link: place(&self.run, "holdings.links"),
            persistent: place(&self.var, "holdings"),
            all: self.run.join("holdings"),
            all_persistent: self.var.join("holdings"),
        }
    }

    /// The directory of the keeper of this node.
    pub fn keeper(&self) -> PathBuf {
        self.run.join("keeper")
    }

    /// The lock of changes of an object's configuration.
    pub fn config_lock(&self, object: &ObjectPath) -> PathBuf {
        self.run.join("lock").join(layout::directory(object).with_added_extension("config"))
    }

    /// The lock of changes of the node's own configuration.
    pub fn node_config_lock(&self) -> PathBuf {
        self.run.join("lock").join("node.config")
    }

    /// The lock of changes of a configuration.
    pub fn lock_of_config(&self, target: &ConfigTarget) -> PathBuf {
        match target {
            ConfigTarget::Object(object) => self.config_lock(object),
            ConfigTarget::Node => self.node_config_lock(),
        }
    }

    /// The directory in which the resources of an object keep things until the next reboot.
    pub fn volatile(&self, object: &ObjectPath) -> PathBuf {
        self.volatile.join(layout::directory(object))
    }
}

/// The name of this node: `HOSTLER_NODENAME`, or the name of the host.
pub fn node_name(env: impl Fn(&str) -> Option<OsString>) -> Result<NodeName, DirectoriesError> {
    let set = env("HOSTLER_NODENAME").filter(|name| !name.is_empty());
    let name = match set {
        Some(name) => name.to_string_lossy().into_owned(),
        // Names of nodes are compared as text, so one spelling must win.
        None => rustix::system::uname().nodename().to_string_lossy().to_lowercase(),
    };
    name.parse().map_err(DirectoriesError::NodeName)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(set: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_both_over_the_system() {
        let find = |root: Option<&str>, set| Directories::find(root.map(Path::new), env(set)).unwrap();
        assert_eq!(find(None, &[]), Directories::system());
        assert_eq!(find(None, &[("HOSTLER_ROOT", "")]), Directories::system());
        assert_eq!(find(None, &[("HOSTLER_ROOT", "/a")]), Directories::under(Path::new("/a")));
        assert_eq!(find(Some("/b"), &[("HOSTLER_ROOT", "/a")]), Directories::under(Path::new("/b")));
        let moved = find(Some("/b"), &[("HOSTLER_CACHE", "/c")]);
        assert_eq!((moved.cache, moved.etc), ("/c".into(), "/b/etc".into()));
        assert!(find(Some("trial"), &[]).etc.is_absolute());
    }

    #[test]
    fn nothing_of_a_root_is_outside_of_it() {
        let Directories { etc, var, log, run, cache, volatile } = Directories::under(Path::new("/trial"));
        for directory in [etc, var, log, run, cache, volatile] {
            assert!(directory.starts_with("/trial"), "{}", directory.display());
        }
    }

    #[test]
    fn each_object_has_its_places() {
        let web: ObjectPath = "web.example.com".parse().unwrap();
        let ca: ObjectPath = "ns1/sec/ca".parse().unwrap();
        let home = Directories::system();
        assert_eq!(home.config(&web), Path::new("/etc/hostler/web.example.com.conf"));
        assert_eq!(home.state(&web), Path::new("/var/lib/hostler/svc/web.example.com"));
        assert_eq!(home.object_log(&web), Path::new("/var/log/hostler/web.example.com.log"));
        assert_eq!(home.action_lock(&web), Path::new("/run/hostler/lock/svc/web.example.com.action"));
        assert_eq!(home.volatile(&web), Path::new("/run/hostler/svc/web.example.com"));
        assert_eq!(home.config(&ca), Path::new("/etc/hostler/namespaces/ns1/sec/ca.conf"));
        assert_eq!(home.object_log(&ca), Path::new("/var/log/hostler/namespaces/ns1/sec/ca.log"));
        assert_eq!(home.config_lock(&ca), Path::new("/run/hostler/lock/namespaces/ns1/sec/ca.config"));
    }

    #[test]
    fn what_others_can_write_is_not_used_and_the_run_directory_is_closed() {
        let (root, home) = Directories::temporary();
        home.check().unwrap();
        assert!(!home.run.exists(), "a directory without an agent stays as it is");
        fs::create_dir(&home.etc).unwrap();
        home.check().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&home.run), 0o700);
        fs::set_permissions(&home.run, fs::Permissions::from_mode(0o755)).unwrap();
        home.check().unwrap();
        assert_eq!(mode(&home.run), 0o700);
        for open in [&home.run, &home.etc, &root.path().to_owned()] {
            let before = mode(open);
            fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
            let error = crate::chain(&home.check().unwrap_err());
            assert!(error.contains(&format!("{} can be written by others", open.display())), "{error}");
            assert!(error.contains("chmod go-w"), "{error}");
            fs::set_permissions(open, fs::Permissions::from_mode(before)).unwrap();
        }
    }

    #[test]
    fn the_environment_may_name_the_node() {
        assert_eq!(node_name(env(&[("HOSTLER_NODENAME", "n1")])).unwrap().as_str(), "n1");
        assert!(node_name(env(&[("HOSTLER_NODENAME", "no/name")])).is_err());
    }
}
