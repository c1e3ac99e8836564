//! How the program is linked, so that it starts quickly.
//!
//! - At a fixed address: a position-independent executable of this size has 200,000 pointers to relocate whenever it starts,
//!   which takes two to three times as long as everything else that a short command does. So the program has a fixed address,
//!   as those of Go have. Stacks, heaps, libraries and compiled drivers are at random addresses all the same.
//! - With the unwinder of GCC inside: to find and map a library for it takes as long as a seventh of `/bin/true`.
//! - With the functions that a command calls side by side, if HOSTLER_LINK_ORDER names a list of them, as `make release` sees to:
//!   scattered among thirty times as many others, they are on nearly every page, and each of these pages takes a fault.

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
    order_functions();
    if let Some(directory) = unwinder() {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// An empty list, or none, leaves the functions where the linker puts them: not every linker takes one.
fn order_functions() {
    println!("cargo::rerun-if-env-changed=HOSTLER_LINK_ORDER");
    let Some(order) = env::var_os("HOSTLER_LINK_ORDER").map(PathBuf::from) else { return };
    println!("cargo::rerun-if-changed={}", order.display());
    if order.metadata().is_ok_and(|list| list.len() > 0) {
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", order.display());
        // A function that is inlined everywhere by now, or that is in a library, is no mistake.
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
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
