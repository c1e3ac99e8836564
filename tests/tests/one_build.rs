//! The program and the tests of the workspace ask for the same features of every dependency, so that `make demo` and
//! `make test` compile each of them once. Wasmtime alone takes minutes.

use std::collections::BTreeSet;
use std::process::Command;

/// Every dependency with the features that it is built with: `tokio v1.54.1 bytes,default,fs`. Where the macros and the
/// program want different ones of the same crate, it is listed twice.
fn dependencies(selection: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["tree", "--locked", "--prefix", "none", "--no-dedupe", "--format", "{p} {f}"])
        .args(selection)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo prints text");
    // A package with a path is part of this workspace.
    text.lines()
        .filter(|line| !line.contains(" (/"))
        .map(|line| line.replace(" (*)", "").replace(" (proc-macro)", ""))
        .collect()
}

#[test]
fn the_program_and_the_tests_share_all_dependencies() {
    let program = dependencies(&["--package", "hostler-om", "--edges", "normal,build"]);
    let workspace = dependencies(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(program.len() > 100, "cargo listed {program:?}");
    let own: Vec<&String> = program.difference(&workspace).collect();
    assert!(
        own.is_empty(),
        "`make test` compiles these once more than `make demo`, with other features, and all that depends on them: {own:#?}\n\
         Ask for the same features in the [dependencies] of hostler-runtime, or the [build-dependencies] of hostler-builtin"
    );
}
