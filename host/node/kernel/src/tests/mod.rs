//! Tests on the running kernel, as root, each in a mount namespace of its own.
//!
//! If the machine lacks something, a test prints what is missing, and passes.

mod kinship;
mod loops;
mod mounts;

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::MsFlags;
use nix::sched::{CloneFlags, unshare};

use crate::block::{DeviceInfo, loopdev};
use crate::mount::{MountCall, MountWord, mount};
use crate::{KernelError, files};

/// Options with commas between them, none of which holds one.
pub(crate) fn words(options: &str) -> Vec<MountWord<'_>> {
    let words = options.split(',').filter(|word| !word.is_empty());
    words
        .map(|text| match text.split_once('=') {
            Some((name, value)) => MountWord { name, value: Some(value) },
            None => MountWord { name: text, value: None },
        })
        .collect()
}

/// A directory and a mount namespace for one test, which is one thread.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
}

impl Sandbox {
    /// None if mounting is not possible. The reason is printed.
    pub(crate) fn new() -> Option<Sandbox> {
        let everything = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        let nothing: Option<&str> = None;
        let private = unshare(CloneFlags::CLONE_NEWNS)
            .and_then(|()| nix::mount::mount(nothing, "/", nothing, everything, nothing));
        if let Err(errno) = private {
            skipped(&format!("no mount namespace ({errno})"));
            return None;
        }
        Some(Sandbox { directory: tempfile::tempdir().unwrap() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn make_directory(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        files::make_directory(&path, 0o755).unwrap();
        path
    }
}

/// A loop device, detached when dropped.
struct LoopImage {
    file: PathBuf,
    device: DeviceInfo,
}

impl LoopImage {
    /// None if there are no loop devices. The reason is printed.
    fn new(sandbox: &Sandbox, name: &str, mebibytes: u64) -> Option<LoopImage> {
        let file = sandbox.path(name);
        files::allocate(&file, mebibytes << 20).unwrap();
        match loopdev::attach(&file, false) {
            Ok(device) => Some(LoopImage { file, device }),
            Err(error) => {
                skipped(&format!("no loop device ({})", error.sentence()));
                None
            }
        }
    }

    fn device(&self) -> &str {
        self.device.path.to_str().unwrap()
    }
}

impl Drop for LoopImage {
    fn drop(&mut self) {
        let _ = loopdev::detach(&self.file);
    }
}

/// Runs a program of the system. Returns false, and prints why, if it is not installed.
fn run(program: &str, args: &[&str]) -> bool {
    match Command::new(program).args(args).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(error) => {
            skipped(&format!("{program} ({error})"));
            false
        }
    }
}

/// Prints why a test, or the rest of it, does not run.
#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
pub(crate) fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}

fn mount_options(target: &Path) -> Vec<String> {
    crate::mount::mountinfo::mounts_at(target).unwrap().pop().unwrap().options
}

/// Mounts it as any caller may.
pub(super) fn mounted(source: &str, target: &Path, fstype: &str, options: &str) -> Result<(), KernelError> {
    mount(MountCall {
        source,
        target,
        fstype,
        options: &words(options),
        keeps_restrictions: false,
        may_find: &crate::block::any_device,
        judge: &|_| Ok(()),
        prepared: &|_| Ok(()),
    })
    .map(drop)
}
