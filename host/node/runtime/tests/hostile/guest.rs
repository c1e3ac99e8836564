//! The driver that misbehaves on request, compiled and loaded.

#![allow(dead_code, reason = "each target of the tests uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use driver::{ActionError, Driver, DriverCall, KeywordValue, LogSink, Manifest, SilentLog, Verb};
use hostler_runtime::{ComponentCode, DriverSource};

use crate::support::{Bench, bounds, keyword};

/// The component, compiled once a test run, where the drivers of the agent are compiled too.
static COMPONENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../drivers");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&workspace)
        .args(["build", "--locked", "--quiet", "--profile", "driver-dev", "--target", "wasm32-wasip2"])
        .args(["-p", "hostile-driver", "--target-dir"])
        .arg(&target)
        .env("CARGO_BUILD_BUILD_DIR", &target);
    for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(flags);
    }
    assert!(cargo.status().unwrap().success(), "the hostile driver does not build");
    target.join("wasm32-wasip2/driver-dev/hostile_driver.wasm")
});

/// The hostile driver, and the resource it is called for.
pub(crate) struct Hostile {
    pub(crate) bench: Bench,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) keywords: Vec<KeywordValue>,
    /// The variables that the agent adds to the configuration.
    pub(crate) vars: Vec<(String, String)>,
}

impl Hostile {
    /// Like a driver that is embedded in the agent: it may do everything that it requests.
    pub(crate) fn trusted() -> Hostile {
        Hostile::limited("")
    }

    /// The same, with the lines of a site's policy.
    pub(crate) fn limited(policy: &str) -> Hostile {
        Hostile::load(policy, |component| ComponentCode::Builtin(component.leak()))
    }

    /// Like an installed driver, with the site's policy.
    pub(crate) fn installed(policy: &str) -> Hostile {
        Hostile::load(policy, |_| ComponentCode::File(COMPONENT.clone()))
    }

    fn load(policy: &str, code: impl FnOnce(Vec<u8>) -> ComponentCode) -> Hostile {
        let bench = Bench::new();
        let component = std::fs::read(&*COMPONENT).unwrap();
        let digest = format!("sha256:{}", hostler_runtime::digest(&component));
        let manifest = Manifest::parse(hostler_runtime::manifest_of(&component).unwrap().as_bytes()).unwrap();
        if !policy.is_empty() {
            std::fs::write(bench.path("app.hostile.policy"), policy.replace("DIGEST", &digest)).unwrap();
        }
        let driver = bench.runtime.load(DriverSource { manifest, digest, code: code(component) }).unwrap();
        let own = bench.path("own");
        std::fs::create_dir(&own).unwrap();
        let keywords = [
            ("own", own.as_str()),
            ("disk", &bench.path("disk")),
            ("word", "hello"),
            ("address", "10.0.0.9/24"),
            ("socket", &bench.path("socket")),
            ("netns", "container#1"),
        ];
        let keywords = keywords.iter().map(|(name, value)| keyword(name, value)).collect();
        Hostile { bench, driver, keywords, vars: Vec::new() }
    }

    /// Sets a keyword to these values, or removes it if there are none.
    pub(crate) fn set(&mut self, name: &str, values: &[&str]) {
        self.keywords.retain(|known| known.name != name);
        if values.is_empty() {
            return;
        }
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.keywords.push(KeywordValue { values, ..keyword(name, "") });
    }

    /// The call that makes it try `words`.
    pub(crate) fn attempt(&self, words: &[&str]) -> DriverCall {
        let mut keywords = self.keywords.clone();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        keywords.push(KeywordValue { values: words, ..keyword("attempt", "") });
        let mut call = self.bench.call("app#1", "app.hostile", keywords);
        Arc::make_mut(&mut call.vars).extend(self.vars.clone());
        call
    }

    /// The response of `start` to that attempt.
    pub(crate) async fn start(&self, words: &[&str]) -> Result<String, ActionError> {
        self.driver.act(Verb::Start, &self.attempt(words), &bounds(), silent()).await.result
    }
}

pub(crate) fn silent() -> Arc<dyn LogSink> {
    Arc::new(SilentLog)
}
