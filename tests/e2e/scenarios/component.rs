//! Drivers that only the tests have, compiled as those of the agent are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The component of a package, compiled where the drivers of the agent are compiled too.
pub(crate) fn component(package: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../drivers");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&workspace)
        .args(["build", "--locked", "--quiet", "--profile", "driver-dev", "--target", "wasm32-wasip2"])
        .args(["-p", package, "--target-dir"])
        .arg(&target)
        .env("CARGO_BUILD_BUILD_DIR", &target);
    for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(flags);
    }
    assert!(cargo.status().unwrap().success(), "{package} does not build");
    target.join(format!("wasm32-wasip2/driver-dev/{}.wasm", package.replace('-', "_")))
}
