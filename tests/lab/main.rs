//! The lab: storage that needs another kernel than the build machine's, in virtual machines.
//!
//! ```text
//!   image ──▶ machine ──▶ scenario ──▶ expected
//!   made once  QEMU, no    commands     what they
//!   a kernel   KVM needed  typed in     must print
//! ```
//!
//! Every `scenarios/*.lab` is read as one would read a terminal: commands, their exit codes, what they print. Those of one
//! machine share a single boot; those of two have a machine each for `a` and `b`, with a private network between them. After
//! each scenario the machines must be as they were before. `NAME` after `cargo test --test lab --` runs that one only.

#![expect(clippy::print_stdout, reason = "a test says what it does")]

mod expected;
mod image;
mod leftovers;
mod machine;
mod scenario;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use image::Image;
use machine::Machine;
use scenario::Scenario;

/// The programs that are needed beyond a plain Debian, and their packages.
const PROGRAMS: [(&str, &str); 6] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("mmdebstrap", "mmdebstrap"),
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("depmod", "kmod"),
    ("mkfs.ext4", "e2fsprogs"),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Some(reason) = missing() {
        println!("lab: skipped: {reason}");
        return ExitCode::SUCCESS;
    }
    match run(&wanted) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            println!("lab: {failed} failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("lab: failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The reason why the lab cannot run here, if any.
fn missing() -> Option<String> {
    if std::env::var("HOSTLER_LAB").is_ok_and(|lab| lab == "off") {
        return Some("HOSTLER_LAB=off".to_owned());
    }
    if !rustix::process::geteuid().is_root() {
        return Some("not root: the file system of the virtual machines could not be made".to_owned());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let has =
        |program: &str| path.split(':').chain(["/usr/sbin", "/sbin"]).any(|dir| Path::new(dir).join(program).exists());
    let packages: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect();
    (!packages.is_empty()).then(|| format!("not installed: {}; `make test-lab` installs them", packages.join(" ")))
}

fn run(wanted: &[String]) -> Result<usize> {
    let all = Scenario::all(&here().join("scenarios"))?;
    let (scenarios, _): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|scenario| wanted.is_empty() || wanted.contains(&scenario.name));
    if scenarios.is_empty() {
        bail!("no scenario is called {}", wanted.join(" or "));
    }
    let image = Image::get().context("the image of the virtual machines")?;
    let (single, double): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(|scenario| scenario.nodes.is_empty());
    Ok(play(&image, &[""], &single)? + play(&image, &["a", "b"], &double)?)
}

/// Runs scenarios on machines that are booted once for all of them. Returns how many failed.
fn play(image: &Image, nodes: &[&str], scenarios: &[Scenario]) -> Result<usize> {
    if scenarios.is_empty() {
        return Ok(0);
    }
    let started = Instant::now();
    let mut machines = Machine::boot_all(image, nodes)?;
    println!(
        "lab: {} up after {} s",
        if nodes.len() == 1 { "machine" } else { "two machines" },
        started.elapsed().as_secs()
    );
    let mut failed = 0;
    for scenario in scenarios {
        let started = Instant::now();
        let result = scenario.play(image, &mut machines);
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        println!("lab: {} ... {verdict} ({} s)", scenario.name, started.elapsed().as_secs());
        if let Err(error) = result {
            println!("{error:#}");
            failed += 1;
        }
    }
    for machine in machines {
        machine.power_off()?;
    }
    Ok(failed)
}

/// The directory of the lab.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab")
}
