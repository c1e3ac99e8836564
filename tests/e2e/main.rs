//! Runs every `*.trycmd` file of this directory: commands as an operator types them, and what they print. `NAME.in` holds the
//! files of NAME, copied to a fresh directory where its commands run; HOSTLER_ROOT is `root` below it.
//!
//! As root, all of it happens in private mount and network namespaces, so that the machine is left as it was.

#![expect(clippy::print_stdout, reason = "a test that was skipped prints why")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    if let Err(reason) = isolate() {
        println!("e2e: skipped: no private namespaces: {reason}");
        return;
    }
    let om = Path::new(env!("CARGO_BIN_EXE_om"));
    let cases = trycmd::TestCases::new();
    cases.register_bin("om", om);
    for name in ["nodemgr", "svcmgr"] {
        cases.register_bin(name, other_name(om, name).as_path());
    }
    cases.register_bin("sh", Path::new("/bin/sh"));
    cases.env("HOSTLER_ROOT", "root");
    cases.env("HOSTLER_NODENAME", "n1");
    // One cache for all cases: each driver is compiled only once.
    cases.env("HOSTLER_CACHE", om.with_file_name("hostler-cache").to_string_lossy());
    // For scripts that call it.
    let directory = om.parent().unwrap_or(om).display();
    cases.env("PATH", format!("{directory}:{}", std::env::var("PATH").unwrap_or_default()));
    cases.env("LC_ALL", "C.UTF-8");
    cases.case(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/*.trycmd"));
}

/// `om` by another name, as a package would link it.
fn other_name(om: &Path, name: &str) -> PathBuf {
    let link = om.with_file_name(name);
    match std::os::unix::fs::symlink(om, &link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("cannot link {}: {error}", link.display()),
        _ => link,
    }
}

/// Leaves the namespaces of the machine before any thread exists.
fn isolate() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}
