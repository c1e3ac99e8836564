//! How the program is linked, so that it starts quickly.
//!
//! - At a fixed address: a position-independent executable of this size has 200,000 pointers to relocate whenever it starts,
//!   which takes two to three times as long as everything else that a short command does. So the program has a fixed address,
//!   as those of Go have. Stacks, heaps, libraries and compiled drivers are at random addresses all the same.
//! - With the unwinder of GCC inside: to find and map a library for it takes as long as a seventh of `/bin/true`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // From the environment: `cfg!` in a build script is about the machine that builds, not about the target.
    if !env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-no-pie");
    if let Some(directory) = unwinder() {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// The directory of the unwinder as a static library. None if the linker has none, as one that is not GCC, or if it is for
/// another machine: then the program uses the library of the system.
fn unwinder() -> Option<PathBuf> {
    const NAME: &str = "libgcc_eh.a";
    if env::var_os("TARGET") != env::var_os("HOST") {
        return None;
    }
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(linker).arg(format!("-print-file-name={NAME}")).output().ok()?;
    // A compiler that has no such file prints the bare name.
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.parent().filter(|_| path.is_absolute() && path.is_file()).map(Path::to_owned)
}
