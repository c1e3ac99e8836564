//! The child process that compiles: its limits, and the report of its failure.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hostler_runtime::COMPILE_VERB;

use crate::place::{Place, error_chain, flag};

/// A line of limits(5) in /proc.
fn limit(child: &Child, name: &str) -> Option<String> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    let mut words = line.split_whitespace();
    let (soft, hard) = (words.next()?, words.next()?);
    // A soft limit below the hard one could be raised again.
    (soft == hard).then(|| soft.to_owned())
}

#[test]
fn the_compiler_limits_itself_before_it_reads_a_component() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_compile-driver"))
        .arg(COMPILE_VERB)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It waits for the component meanwhile.
    let give_up = Instant::now() + Duration::from_secs(30);
    while limit(&child, "Max core file size").as_deref() != Some("0") && Instant::now() < give_up {
        std::thread::yield_now();
    }
    let found = ["Max cpu time", "Max address space", "Max core file size"].map(|name| limit(&child, name));
    assert_eq!(found.map(Option::unwrap_or_default), ["120", "4294967296", "0"]);
    child.stdin.take().unwrap().write_all(b"no component").unwrap();
    assert!(!child.wait().unwrap().success());
}

/// A compiler that is a script with this content.
fn check(script: &str, expected: &str) {
    let place = Place::new();
    fs::write(place.path("compiler"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(place.path("compiler"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(error_chain(&place.load(flag()).unwrap_err()), expected);
    assert!(!place.cache().exists(), "something was put into the cache");
}

#[test]
fn a_failing_compiler_is_reported() {
    check("exit 3", "it does not compile: the compiler exited with exit status: 3");
    check("kill -KILL $$", "it does not compile: the compiler exited with signal: 9 (SIGKILL)");
    check("echo no room >&2; exit 1", "it does not compile: no room");
}
