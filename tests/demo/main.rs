//! `om demo` on every rung, and the examples: they work, and leave nothing behind.

#![expect(clippy::print_stdout, reason = "a test that was skipped prints why")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use hostler_tests::for_every_user;

const OM: &str = env!("CARGO_BIN_EXE_om");

const NOBODY: u32 = 65534;

/// Runs the demo on one rung, as the user nobody or as the user of the tests. Its temporary files are in a directory that
/// must be empty afterwards.
fn show(rung: &str, as_nobody: bool) -> Output {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let (_directory, om) = for_every_user(Path::new(OM)).unwrap();
    let mut command = Command::new(om);
    command.args(["demo", "--rung", rung]).env("TMPDIR", place.path()).env_remove("HOSTLER_CACHE");
    if as_nobody && rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let left = [mounts(place.path()), loops(place.path())].concat();
    assert!(left.is_empty(), "{rung} left {left:?} on the machine\n{}", text(&output));
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{rung} left {left:?}\n{}", text(&output));
    output
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The mounts below a directory.
fn mounts(directory: &Path) -> Vec<String> {
    let all = fs::read_to_string("/proc/self/mountinfo").unwrap();
    all.lines().filter(|line| line.contains(&*directory.to_string_lossy())).map(str::to_owned).collect()
}

/// The files below a directory that loop devices are attached to.
fn loops(directory: &Path) -> Vec<String> {
    let blocks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let backing = blocks.filter_map(|block| fs::read_to_string(block.path().join("loop/backing_file")).ok());
    backing.filter(|file| file.contains(&*directory.to_string_lossy())).collect()
}

/// Every rung plays the same scenes to the end, or says that this machine does not have it.
fn check(rung: &str, as_nobody: bool, scenes: &[&str]) {
    let output = show(rung, as_nobody);
    let text = text(&output);
    if output.status.code() == Some(4) {
        println!("skipped: {text}");
        return;
    }
    assert!(output.status.success(), "{}\n{text}", output.status);
    for scene in
        ["rolled back", "om driver allow app.simple", "Served by Hostler", "1 of 2 restarts left", "Nothing is left"]
            .iter()
            .chain(scenes)
    {
        assert!(text.contains(scene), "no {scene:?} in\n{text}");
    }
    // The scene of the daemon sets `restart` of what is up: the daemon reads it at once.
    assert!(!text.contains("applies at the next start"), "{text}");
}

#[test]
fn as_root_the_demo_has_a_disk_a_file_system_and_an_address() {
    check("root", false, &["disk#1", "ext4", "10.77.0.9/24"]);
}

#[test]
fn as_nobody_in_a_namespace_it_has_an_address_and_a_tmpfs() {
    check("user", true, &["Left out", "tmpfs", "10.77.0.9/24"]);
}

#[test]
fn as_nobody_without_a_namespace_it_has_a_directory() {
    check("plain", true, &["Left out"]);
}

#[test]
fn the_examples_are_valid() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let root = tempfile::tempdir().unwrap();
    let mut found = 0;
    for entry in fs::read_dir(examples).unwrap().flatten() {
        let file = entry.path().join("web.conf");
        if !file.exists() {
            continue;
        }
        found += 1;
        let mut command = Command::new(OM);
        command.args(["config", "validate"]).arg(&file).env("HOSTLER_ROOT", root.path()).env("HOSTLER_NODENAME", "n1");
        let output = command.output().unwrap();
        let text = text(&output);
        assert!(output.status.success() && !text.contains("warning"), "{}: {text}", file.display());
    }
    assert_eq!(found, 2, "an example has gone missing, or is not tested");
}
