//! Builds the drivers and writes the table of them that `src/lib.rs` includes.
//!
//! ```text
//!   drivers/*/Cargo.toml ──compile──▶ *.wasm ──component──▶ name, manifest, digest ──table──▶ OUT_DIR/builtin.rs
//!   HOSTLER_DRIVERS_PREBUILT=DIR ───────▲
//! ```
//!
//! With `HOSTLER_DRIVERS_PREBUILT`, a directory of `<group>-<name>.wasm`, nothing is compiled: for offline builds and
//! distributions. No compiled machine code is ever embedded: the agent compiles the components where it runs.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "how a build script talks to cargo")]

mod compile;
mod component;
mod table;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=HOSTLER_DRIVERS_PREBUILT");
    let files = match env::var_os("HOSTLER_DRIVERS_PREBUILT") {
        Some(directory) => prebuilt(Path::new(&directory))?,
        None => compile::drivers(&out)?,
    };
    let mut components = files.iter().map(|file| component::read(file)).collect::<Result<Vec<_>>>()?;
    components.sort_by(|a, b| a.name.cmp(&b.name));
    table::write(&out, &components)
}

/// The components of a directory.
fn prebuilt(directory: &Path) -> Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", directory.display());
    let what = || format!("cannot list HOSTLER_DRIVERS_PREBUILT {}", directory.display());
    let entries = directory.read_dir().with_context(what)?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().with_context(what)?;
    let components: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "wasm")).collect();
    ensure!(!components.is_empty(), "no driver in HOSTLER_DRIVERS_PREBUILT {}", directory.display());
    Ok(components)
}
