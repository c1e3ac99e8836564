//! A runtime on temporary directories, and calls of resources.

#![allow(dead_code, reason = "each target of the tests uses its part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use capability::holdings::{LedgerPlaces, Ledgers};
use capability::{
    CgroupSlice, DeviceOwners, HostServices, InstancePaths, MemoryAudit, RecordPlace, ResourcePaths, ResourceQueues,
};
use driver::{CallBounds, Driver, DriverCall, KeywordValue, Manifest};
use grant::{Policy, SitePolicy};
use hostler_runtime::{CallVolume, ComponentCode, DriverSource, NodeFacilities, Runtime};
use model::DriverName;

/// A runtime on directories of its own.
pub(crate) struct Bench {
    root: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) audit: Arc<MemoryAudit>,
}

struct Directories(PathBuf);

impl NodeFacilities for Directories {
    fn paths(&self, _: &DriverCall) -> ResourcePaths {
        let directory = |name: &str| self.0.join(name);
        ResourcePaths {
            instance: Arc::new(InstancePaths {
                rundir: directory("run"),
                logdir: directory("log"),
                config: directory("web.conf"),
                slice: Arc::new(CgroupSlice::at(None)),
                keeper: "/nowhere".into(),
                holdings: LedgerPlaces::below(&self.0),
            }),
            statedir: directory("state"),
            record: RecordPlace::new(directory("record"), &directory("state")),
        }
    }

    fn driver_policy(&self, driver: &DriverName) -> Result<Option<SitePolicy>, String> {
        match std::fs::read_to_string(self.0.join(format!("{driver}.policy"))) {
            Ok(text) => SitePolicy::parse(&text).map(Some).map_err(|errors| format!("{errors:?}")),
            Err(_) => Ok(None),
        }
    }

    fn namespace_policy(&self, namespace: &str) -> Result<Policy, String> {
        match std::fs::read_to_string(self.0.join("namespace.policy")) {
            Ok(text) if namespace != "root" => Policy::parse(&text).map_err(|errors| format!("{errors:?}")),
            _ => Ok(Policy::everything()),
        }
    }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let root = tempfile::tempdir().unwrap();
        for directory in ["run", "state", "record", "log"] {
            std::fs::create_dir(root.path().join(directory)).unwrap();
        }
        let audit = Arc::new(MemoryAudit::default());
        let host = HostServices {
            audit: audit.clone(),
            audit_reads: Arc::default(),
            owners: Arc::new(DeviceOwners::default()),
            ledgers: Ledgers::default(),
            started: Arc::default(),
            volumes: Arc::new(capability::volume::NoVolumes),
            queues: ResourceQueues::default(),
        };
        let site = Arc::new(Directories(root.path().to_owned()));
        // One cache for all tests: a driver is compiled once.
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let compiler = env!("CARGO_BIN_EXE_compile-driver").into();
        let runtime = Runtime::new(cache, compiler, CallVolume::Many, Arc::new(host), site).unwrap();
        Bench { root, runtime, audit }
    }

    /// A driver that comes with the agent.
    pub(crate) fn load(&self, name: &str) -> Arc<dyn Driver> {
        let found = builtin::drivers().iter().find(|driver| driver.name == name).unwrap();
        let manifest = Manifest::parse(found.manifest.as_bytes()).unwrap();
        let source =
            DriverSource { manifest, digest: found.digest.to_owned(), code: ComponentCode::Builtin(found.component) };
        self.runtime.load(source).unwrap()
    }

    /// A path below the directory of this test.
    pub(crate) fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_string_lossy().into_owned()
    }

    pub(crate) fn call(&self, rid: &str, driver: &str, keywords: Vec<KeywordValue>) -> DriverCall {
        DriverCall {
            object: "web".parse().unwrap(),
            rid: rid.parse().unwrap(),
            driver: driver.parse().unwrap(),
            node: "n1".parse().unwrap(),
            peers: Vec::new(),
            sid: "test".to_owned(),
            keywords: Arc::new(keywords),
            secrets: Vec::new(),
            vars: Arc::new(vec![("rundir".to_owned(), self.path("run"))]),
            limits: Arc::default(),
        }
    }
}

/// Enough time for any call of these tests.
pub(crate) fn bounds() -> CallBounds {
    CallBounds::within(Duration::from_secs(20))
}

pub(crate) fn keyword(name: &str, value: &str) -> KeywordValue {
    KeywordValue::new(name, vec![value.to_owned()])
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
pub(crate) fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing} is missing");
}
