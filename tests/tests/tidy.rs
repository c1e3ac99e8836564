//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hostler_tests::repository;

/// Which crates of the workspace each crate of the host names: exactly these. Data flows from left to right; `exec` and
/// `runtime` meet in `driver`. ARCHITECTURE.md draws the picture.
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("run-args", &[]),
    ("driver", &["model"]),
    ("config", &["model"]),
    ("plan", &["model"]),
    ("schedule", &["model"]),
    ("orchestrate", &["model"]),
    ("ownership", &["model", "orchestrate"]),
    ("protocol", &["config", "driver", "model"]),
    ("grant", &["model"]),
    ("guard", &["model", "run-args"]),
    ("deadline", &[]),
    ("holding", &[]),
    ("kernel", &[]),
    ("exec", &["driver", "model", "plan"]),
    ("capability", &["deadline", "driver", "grant", "guard", "holding", "kernel", "model"]),
    ("bindings", &[]),
    ("builtin", &[]),
    ("runtime", &["bindings", "capability", "driver", "grant", "model"]),
    (
        "agent",
        &[
            "builtin",
            "capability",
            "config",
            "deadline",
            "driver",
            "exec",
            "grant",
            "holding",
            "kernel",
            "model",
            "plan",
            "protocol",
            "runtime",
            "schedule",
        ],
    ),
    ("keeper", &["deadline", "kernel"]),
    ("store", &[]),
    ("store-redb", &["store"]),
    ("store-etcd", &["store"]),
    ("replica", &["model", "orchestrate", "ownership", "store"]),
    ("etcd", &["certificate", "kernel", "model", "protocol", "replica", "store", "store-etcd", "store-redb"]),
    (
        "daemon",
        &[
            "agent",
            "deadline",
            "etcd",
            "keeper",
            "kernel",
            "model",
            "orchestrate",
            "ownership",
            "peer",
            "plan",
            "protocol",
            "replica",
            "store",
            "store-etcd",
            "store-redb",
        ],
    ),
    ("certificate", &[]),
    ("peer", &["certificate", "model", "protocol"]),
    ("api", &["certificate", "daemon", "model", "peer", "protocol"]),
    ("client", &["model", "protocol"]),
    ("sim", &["deadline", "model", "orchestrate", "ownership", "replica", "store"]),
    ("demo", &["agent", "kernel"]),
    (
        "om",
        &[
            "agent",
            "api",
            "certificate",
            "client",
            "config",
            "daemon",
            "demo",
            "etcd",
            "keeper",
            "model",
            "plan",
            "protocol",
        ],
    ),
];

/// The crates of the workspace that drivers may name besides the SDK and its families.
const SHARED_WITH_DRIVERS: [&str; 2] = ["grant", "run-args"];

/// Crates that reach outside of the process, or wait: a pure crate depends on none of them.
const IMPURE: [&str; 4] = ["tokio", "wasmtime", "rustix", "nix"];

/// Public types whose name may stand in several crates of the host, each with the reason.
const SHARED_TYPE_NAMES: &[(&str, &str)] = &[];

#[test]
fn crates_name_exactly_what_stands_to_their_right() -> Result<()> {
    let packages = packages()?;
    let hosts = packages.values().filter(|package| package.stands_in("host"));
    for package in hosts.clone() {
        let row = EDGES.iter().find(|(name, _)| *name == package.short_name());
        let (_, expected) = row.with_context(|| format!("{} has no row in EDGES", package.name))?;
        let mut found: Vec<&str> =
            package.dependencies.iter().filter_map(|name| name.strip_prefix("hostler-")).collect();
        found.sort_unstable();
        ensure!(found == *expected, "{} depends on {found:?}, EDGES says {expected:?}", package.name);
    }
    ensure!(hosts.count() == EDGES.len(), "EDGES has a row for a crate that does not exist");
    Ok(())
}

#[test]
fn drivers_and_the_sdk_name_no_crate_of_the_host() -> Result<()> {
    let packages = packages()?;
    for package in packages.values().filter(|package| package.stands_in("drivers") || package.stands_in("sdk")) {
        for name in package.dependencies.iter().filter(|name| packages.contains_key(*name)) {
            let allowed =
                !packages[name].stands_in("host") || SHARED_WITH_DRIVERS.contains(&packages[name].short_name());
            ensure!(allowed, "{} must not depend on {name}, which is the host's", package.name);
        }
    }
    Ok(())
}

#[test]
fn pure_crates_depend_on_no_crate_that_is_not() -> Result<()> {
    for package in packages()?.values().filter(|package| package.stands_in("host/core")) {
        for name in IMPURE {
            let depends = package.dependencies.iter().any(|dependency| dependency == name);
            ensure!(!depends, "{} is pure, and depends on {name}", package.name);
        }
    }
    Ok(())
}

#[test]
fn pure_crates_read_no_clock_and_no_file() -> Result<()> {
    let mut files = Vec::new();
    pure_crates()?.iter().try_for_each(|directory| collect(&directory.join("src"), &mut files))?;
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        for word in ["SystemTime", "Instant::now", "std::fs", "std::net::Tcp", "std::process", "std::env"] {
            ensure!(!text.contains(word), "{}: a pure crate names {word}", file.display());
        }
    }
    Ok(())
}

#[test]
fn no_public_type_name_stands_in_two_crates_of_the_host() -> Result<()> {
    let mut crates_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages()?.values().filter(|package| package.stands_in("host")) {
        let mut files = Vec::new();
        collect(&repository().join(&package.directory).join("src"), &mut files)?;
        for file in files.iter().filter(|file| !is_test(file)) {
            let text = std::fs::read_to_string(file)?;
            for name in text.lines().filter_map(public_type) {
                crates_of.entry(name.to_owned()).or_default().insert(package.short_name().to_owned());
            }
        }
    }
    let shared: Vec<_> = crates_of.iter().filter(|(_, crates)| crates.len() > 1).collect();
    for (name, crates) in &shared {
        let excepted = SHARED_TYPE_NAMES.iter().any(|(exception, _)| exception == name);
        ensure!(excepted, "{name} is a public type in {crates:?}: rename one, so that a search finds one thing");
    }
    ensure!(!crates_of.is_empty(), "no public type found");
    ensure!(shared.len() == SHARED_TYPE_NAMES.len(), "SHARED_TYPE_NAMES holds a name that is not shared any more");
    Ok(())
}

#[test]
fn unsafe_code_is_in_the_kernel_crate_alone() -> Result<()> {
    for file in sources(&["host", "sdk", "drivers", "tests"])? {
        let text = std::fs::read_to_string(&file)?;
        let inside = file.strip_prefix(repository()).unwrap_or(&file);
        let word = ["uns", "afe {"].concat();
        // Mapping a compiled component that this very uid wrote is the one exception, argued where it stands.
        // The driver that misbehaves on purpose is another exception.
        let exempt = inside.starts_with("host/node/kernel")
            || inside.starts_with("tests/hostile")
            || text.contains("reason = \"the agent wrote this file itself");
        ensure!(exempt || !text.contains(&word), "{} has {word}", inside.display());
    }
    Ok(())
}

#[test]
fn every_file_says_what_it_is_for() -> Result<()> {
    for file in sources(&["host", "sdk", "drivers", "tests", "examples"])? {
        let text = std::fs::read_to_string(&file)?;
        ensure!(text.starts_with("//!"), "{} does not open with //!", file.display());
    }
    Ok(())
}

#[test]
fn no_todo_and_no_ignored_test_is_left() -> Result<()> {
    for file in sources(&["host", "sdk", "drivers", "examples"])? {
        let text = std::fs::read_to_string(&file)?;
        for word in [
            ["todo", "!("].concat(),
            ["unimple", "mented!("].concat(),
            ["FIX", "ME"].concat(),
            ["#[ig", "nore"].concat(),
        ] {
            ensure!(!text.contains(&word), "{} has {word}", file.display());
        }
    }
    Ok(())
}

#[test]
fn a_driver_is_named_after_its_directory() -> Result<()> {
    let packages = packages()?;
    for entry in std::fs::read_dir(repository().join("drivers"))? {
        let directory = entry?.path();
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(packages.contains_key(&format!("driver-{name}")), "drivers/{name} is not the package driver-{name}");
        let text = std::fs::read_to_string(directory.join("src/lib.rs"))?;
        let driver = name.replacen('-', ".", 1);
        ensure!(text.contains(&format!("\"{driver}\"")), "drivers/{name} is not the driver {driver}");
    }
    Ok(())
}

/// A package of the workspace.
struct Package {
    name: String,
    /// Its directory, from the root of the repository.
    directory: PathBuf,
    /// Its dependencies, without those of its tests and its build script.
    dependencies: Vec<String>,
}

impl Package {
    fn short_name(&self) -> &str {
        self.name.strip_prefix("hostler-").unwrap_or(&self.name)
    }

    fn stands_in(&self, directory: &str) -> bool {
        self.directory.starts_with(directory)
    }
}

/// Every package of the workspace, by name.
fn packages() -> Result<BTreeMap<String, Package>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(repository())
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    packages.iter().map(|package| Ok((name(package), read_package(package)?))).collect()
}

fn read_package(package: &serde_json::Value) -> Result<Package> {
    let manifest = Path::new(package["manifest_path"].as_str().context("no manifest_path")?);
    let directory = manifest.parent().unwrap_or(manifest).strip_prefix(repository())?.to_owned();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
    Ok(Package { name: name(package), directory, dependencies: normal.map(name).collect() })
}

fn name(value: &serde_json::Value) -> String {
    value["name"].as_str().unwrap_or_default().to_owned()
}

/// The name of the type that a line of source declares as public. Types of an inner module are indented, and do not count.
fn public_type(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("pub ")?.split_whitespace().skip_while(|word| ["unsafe", "auto"].contains(word));
    let keyword = words.next()?;
    let name = words.next()?.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?;
    ["struct", "enum", "trait", "union", "type"].contains(&keyword).then_some(name)
}

/// Whether a source file holds nothing but tests.
fn is_test(file: &Path) -> bool {
    let inside = file.strip_prefix(repository()).unwrap_or(file);
    let stem = inside.file_stem().unwrap_or_default().to_string_lossy();
    stem.ends_with("tests") || inside.components().any(|part| part.as_os_str() == "tests")
}

/// The crates of `host/core`, which are pure because they stand there.
fn pure_crates() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(repository().join("host/core"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// The Rust files below some directories.
fn sources(directories: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    directories.iter().try_for_each(|directory| collect(&repository().join(directory), &mut found))?;
    ensure!(!found.is_empty(), "no sources below {directories:?}");
    Ok(found)
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && path.file_name() != Some("target".as_ref()) {
            collect(&path, found)?;
        } else if path.extension() == Some("rs".as_ref()) {
            found.push(path);
        }
    }
    Ok(())
}
