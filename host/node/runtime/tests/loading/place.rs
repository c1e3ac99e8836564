//! A cache of its own, and a compiler that counts its runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capability::holdings::{LedgerPlaces, Ledgers};
use capability::{
    CgroupSlice, DeviceOwners, HostServices, InstancePaths, NoAudit, RecordPlace, ResourcePaths, ResourceQueues,
};
use driver::{DriverCall, Manifest};
use grant::{Policy, SitePolicy};
use hostler_runtime::{
    CallVolume, ComponentCode, DriverSource, LoadError, NodeFacilities, Runtime, digest, manifest_of,
};
use model::DriverName;

/// Directories of one test.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

/// Allows nothing. Loading needs no permission.
struct Nobody;

impl NodeFacilities for Nobody {
    fn paths(&self, _: &DriverCall) -> ResourcePaths {
        ResourcePaths {
            instance: Arc::new(InstancePaths {
                rundir: PathBuf::new(),
                logdir: PathBuf::new(),
                config: PathBuf::new(),
                slice: Arc::new(CgroupSlice::at(None)),
                keeper: "/nowhere".into(),
                holdings: LedgerPlaces::below(Path::new("/nowhere")),
            }),
            statedir: PathBuf::new(),
            record: RecordPlace::new(PathBuf::new(), Path::new("")),
        }
    }

    fn driver_policy(&self, _: &DriverName) -> Result<Option<SitePolicy>, String> {
        Ok(None)
    }

    fn namespace_policy(&self, _: &str) -> Result<Policy, String> {
        Ok(Policy::nothing())
    }
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place { root: tempfile::tempdir().unwrap() };
        let text = format!(
            "#!/bin/sh\necho >> '{}'\nexec '{}' \"$@\"\n",
            place.path("compilations").display(),
            env!("CARGO_BIN_EXE_compile-driver"),
        );
        fs::write(place.path("compiler"), text).unwrap();
        fs::set_permissions(place.path("compiler"), fs::Permissions::from_mode(0o755)).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// The one compiled driver in the cache.
    pub(crate) fn compiled(&self) -> PathBuf {
        let mut found: Vec<PathBuf> = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// The number of compilations so far.
    pub(crate) fn compilations(&self) -> usize {
        fs::read_to_string(self.path("compilations")).unwrap_or_default().lines().count()
    }

    /// Loads a driver as a new process would.
    pub(crate) fn load(&self, source: DriverSource) -> Result<(), LoadError> {
        let host = HostServices {
            audit: Arc::new(NoAudit),
            audit_reads: Arc::default(),
            owners: Arc::new(DeviceOwners::default()),
            ledgers: Ledgers::default(),
            started: Arc::default(),
            volumes: Arc::new(capability::volume::NoVolumes),
            queues: ResourceQueues::default(),
        };
        let runtime =
            Runtime::new(self.cache(), self.path("compiler"), CallVolume::Few, Arc::new(host), Arc::new(Nobody))
                .unwrap();
        runtime.load(source).map(|_| ())
    }
}

/// The component of a small driver.
pub(crate) fn component() -> &'static [u8] {
    builtin::drivers().iter().find(|driver| driver.name == "fs.flag").unwrap().component
}

/// A small driver.
pub(crate) fn flag() -> DriverSource {
    let manifest = Manifest::parse(manifest_of(component()).unwrap().as_bytes()).unwrap();
    DriverSource {
        manifest,
        digest: format!("sha256:{}", digest(component())),
        code: ComponentCode::Builtin(component()),
    }
}

/// An installed driver with the manifest of the small one.
pub(crate) fn installed(path: &Path, component: &[u8]) -> DriverSource {
    fs::write(path, component).unwrap();
    DriverSource {
        digest: format!("sha256:{}", digest(component)),
        code: ComponentCode::File(path.to_owned()),
        ..flag()
    }
}

/// An error and its causes, as an operator reads them.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
pub(crate) fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}
