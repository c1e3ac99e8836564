//! Compiles all drivers with one nested cargo.
//!
//! It cannot use the outer target directory: the outer cargo holds its lock, and the nested one would wait forever. It should not
//! use OUT_DIR: check, clippy, test and release each have their own, and would each recompile the drivers. So it uses a fixed
//! directory `drivers` inside the outer target directory, and an environment without the variables of the outer cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};

const TARGET: &str = "wasm32-wasip2";

/// The variables of cargo that say where packages come from. All others describe the outer build, and are removed.
const KEPT: [&str; 6] =
    ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRY_", "CARGO_REGISTRIES_", "CARGO_SOURCE_"];

/// Compiles the drivers and returns their components.
pub(crate) fn drivers(out: &Path) -> Result<Vec<PathBuf>> {
    let root = workspace()?;
    for input in ["drivers", "sdk", "host/core/run-args", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let names = crates(&root.join("drivers"))?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    ensure_target()?;
    let target_directory = target_directory(out)?;
    let status = nested_cargo(&root, &target_directory, &names).status().context("cannot run cargo for the drivers")?;
    ensure!(status.success(), "the drivers do not build: see the errors above");
    let built = target_directory.join(TARGET).join(profile());
    Ok(names.iter().map(|name| built.join(format!("driver_{}.wasm", name.replace('-', "_")))).collect())
}

/// The profile of the drivers. To optimise across all of their crates takes most of their build, so only a release does.
fn profile() -> &'static str {
    if env::var_os("PROFILE").is_some_and(|outer| outer == "release") { "driver" } else { "driver-dev" }
}

fn workspace() -> Result<PathBuf> {
    let own = env::var_os("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set")?;
    let root = Path::new(&own).join("../../..");
    root.canonicalize().with_context(|| format!("no workspace at {}", root.display()))
}

/// The directories that hold a driver's crate: `disk-loop`, whose package is `driver-disk-loop`.
fn crates(directory: &Path) -> Result<Vec<String>> {
    let what = || format!("cannot list {}", directory.display());
    let mut names = Vec::new();
    for entry in directory.read_dir().with_context(what)? {
        let entry = entry.with_context(what)?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Checks that the toolchain has the library for the target. It is not installed from here: a build script must not change the
/// toolchain.
fn ensure_target() -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot ask rustc for its libraries")?;
    let library = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if library.is_empty() || !Path::new(&library).is_dir() {
        bail!("the drivers are WebAssembly, and this toolchain cannot make it yet: run `rustup target add {TARGET}`");
    }
    Ok(())
}

/// `drivers` in the outer target directory: the directory above OUT_DIR that cargo has marked as a cache. Cargo does not mark a directory
/// that existed before: then it is the one above `<profile>/build/<package>/out`.
fn target_directory(out: &Path) -> Result<PathBuf> {
    println!("cargo::rerun-if-env-changed=HOSTLER_DRIVERS_TARGET_DIR");
    if let Some(directory) = env::var_os("HOSTLER_DRIVERS_TARGET_DIR") {
        return Ok(directory.into());
    }
    let marked = out.ancestors().filter(|directory| directory.join("CACHEDIR.TAG").is_file()).last();
    let outer = marked.or_else(|| out.ancestors().nth(4));
    let outer = outer.context("no target directory around OUT_DIR: set HOSTLER_DRIVERS_TARGET_DIR")?;
    Ok(outer.join("drivers"))
}

fn nested_cargo(root: &Path, target_directory: &Path, names: &[String]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--locked", "--quiet", "--profile", profile(), "--target", TARGET, "--target-dir"])
        .arg(target_directory);
    for name in names {
        command.args(["-p", &format!("driver-{name}")]);
    }
    for (name, _) in env::vars_os().filter(|(name, _)| describes_the_outer_build(name)) {
        command.env_remove(name);
    }
    command.env("CARGO_BUILD_BUILD_DIR", target_directory).env("CARGO_ENCODED_RUSTFLAGS", flags(root));
    command
}

fn describes_the_outer_build(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let wrappers = ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"];
    wrappers.contains(&&*name) || name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept))
}

/// No flags of the outer build, and no paths of this machine: a driver is identified by its digest, which must not depend on them.
fn flags(root: &Path) -> OsString {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let home = fs::canonicalize(&home).unwrap_or(home);
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(root);
    flags.push("=/hostler\u{1f}--remap-path-prefix=");
    flags.push(home);
    flags.push("=/cargo");
    flags
}
