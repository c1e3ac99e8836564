//! The fidelity of the stand-in: Google's own client library drives every call of it, on real loop devices.

mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Emulator, skipped};

#[test]
fn googles_own_client_finds_nothing_odd() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    if !loops() {
        return skipped("no loop devices to be had");
    }
    let emulator = Emulator::start(&["--gigabyte", "1048576", "--instance", "n1={devices}", "--instance", "n2"]);
    let (api, metadata) = (emulator.api.trim_end_matches("/compute/v1"), emulator.metadata("n1"));
    let metadata = metadata.trim_start_matches("http://").trim_end_matches("/computeMetadata/v1");
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official_client.py"))
        .args([api, metadata, &emulator.devices()])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "every call was understood", "{errors}");
    // Nothing of the document was left out.
    let called = emulator.get("/control/called");
    for id in hostler_gce::discovery::DOCUMENT.methods.keys() {
        let short = id.trim_start_matches("compute.");
        assert!(called.contains(&format!("\"{short}\"")), "{short} was not called");
    }
}

/// A Python that has the library. It is installed once, from where pip finds it.
fn python() -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("google-client");
    let python = directory.join("bin/python");
    if Command::new(&python)
        .args(["-c", "import google.cloud.compute_v1"])
        .output()
        .is_ok_and(|done| done.status.success())
    {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory))?;
    run(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "google-cloud-compute~=1.57",
        "requests~=2.32",
    ]))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn loops() -> bool {
    Command::new("losetup").arg("-f").output().is_ok_and(|found| found.status.success())
}
