//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hostler_tests::repository;

/// Which crates of the workspace each host crate may name. Data flows from left to right; `exec` and `runtime` meet in
/// `driver`.
const EDGES: [(&str, &[&str]); 12] = [
    ("hostler-model", &[]),
    ("hostler-plan", &["hostler-driver", "hostler-model"]),
    ("hostler-driver", &["hostler-model"]),
    ("hostler-grant", &["hostler-model"]),
    ("hostler-guard", &["hostler-model", "hostler-run-args"]),
    ("hostler-exec", &["hostler-driver", "hostler-model", "hostler-plan"]),
    ("hostler-kernel", &[]),
    ("hostler-capability", &["hostler-driver", "hostler-grant", "hostler-guard", "hostler-kernel", "hostler-model"]),
    ("hostler-bindings", &[]),
    ("hostler-builtin", &[]),
    (
        "hostler-runtime",
        &[
            "hostler-bindings",
            "hostler-builtin",
            "hostler-capability",
            "hostler-driver",
            "hostler-grant",
            "hostler-guard",
            "hostler-model",
        ],
    ),
    (
        "hostler-agent",
        &[
            "hostler-builtin",
            "hostler-capability",
            "hostler-driver",
            "hostler-exec",
            "hostler-grant",
            "hostler-kernel",
            "hostler-model",
            "hostler-plan",
            "hostler-runtime",
        ],
    ),
];

/// What the pure crates do not know.
const IMPURE: [&str; 4] = ["tokio", "wasmtime", "rustix", "nix"];

#[test]
fn crates_name_only_what_stands_to_their_right() -> Result<()> {
    let packages = dependencies()?;
    for (name, allowed) in EDGES {
        let found = packages.get(name).with_context(|| format!("no package {name}"))?;
        for edge in found.iter().filter(|dependency| dependency.starts_with("hostler")) {
            ensure!(allowed.contains(&edge.as_str()), "{name} must not depend on {edge}");
        }
    }
    for directory in pure_crates()? {
        let name = format!("hostler-{}", directory.file_name().unwrap_or_default().to_string_lossy());
        for dependency in packages.get(&name).with_context(|| format!("no package {name}"))? {
            ensure!(!IMPURE.contains(&dependency.as_str()), "{name} is pure, and depends on {dependency}");
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
fn unsafe_code_is_in_the_kernel_crate_alone() -> Result<()> {
    for file in sources(&["host", "sdk", "drivers", "tests"])? {
        let text = std::fs::read_to_string(&file)?;
        let inside = file.strip_prefix(repository()).unwrap_or(&file);
        let word = ["uns", "afe {"].concat();
        // Mapping a compiled component that this very uid wrote is the one exception, argued where it stands.
        // So is the driver that misbehaves on purpose.
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
fn nothing_is_left_for_later_in_secret() -> Result<()> {
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
fn a_driver_is_named_after_its_folder() -> Result<()> {
    let packages = dependencies()?;
    for entry in std::fs::read_dir(repository().join("drivers"))? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(packages.contains_key(&format!("driver-{name}")), "drivers/{name} is not the package driver-{name}");
        let text = std::fs::read_to_string(folder.join("src/lib.rs"))?;
        let driver = name.replacen('-', ".", 1);
        ensure!(text.contains(&format!("\"{driver}\"")), "drivers/{name} is not the driver {driver}");
    }
    Ok(())
}

/// Every package of the workspace with what it depends on, its tests' needs left out.
fn dependencies() -> Result<BTreeMap<String, Vec<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(repository())
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap_or_default().to_owned();
    let normal = |dependency: &&serde_json::Value| dependency["kind"].is_null();
    Ok(packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            (name(package), dependencies.filter(normal).map(name).collect())
        })
        .collect())
}

/// The crates of `host/core`, which are pure because they stand there.
fn pure_crates() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(repository().join("host/core"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// The Rust files below some folders.
fn sources(folders: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    folders.iter().try_for_each(|folder| collect(&repository().join(folder), &mut found))?;
    ensure!(!found.is_empty(), "no sources below {folders:?}");
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && path.file_name() != Some("target".as_ref()) {
            collect(&path, found)?;
        } else if path.extension() == Some("rs".as_ref()) {
            found.push(path);
        }
    }
    Ok(())
}
