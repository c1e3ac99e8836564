//! Scenarios that need fixed names of the machine for themselves: a bridge `br0`, a directory below the root.
//!
//! Each runs in a thread with mount and network namespaces of its own, which its child processes inherit. Only a directory that
//! it made on the root's file system outlives it.

use std::fs::{self, File};
use std::panic::resume_unwind;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use crate::{gce, network};

/// Runs a scenario there, and fails if it fails.
pub(crate) fn run(scenario: impl FnOnce() + Send) {
    in_a_thread(|| {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).unwrap();
        // Unmounting by other scenarios propagates to here, but nothing propagates back.
        propagate(MsFlags::MS_SLAVE).unwrap();
        propagate(MsFlags::MS_SHARED).unwrap();
        network::ip("link set lo up");
        gce::isolate().unwrap();
        scenario();
    });
}

/// The propagation of mounts between this namespace and others: mount_namespaces(7).
pub(crate) fn propagate(how: MsFlags) -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | how, None::<&str>)
}

/// Unmounts the current mounts of other scenarios, which would stay in use here.
fn let_go_of_other_worlds() {
    let theirs = std::env::temp_dir().join("hostler-e2e-");
    for target in mounts(&theirs.to_string_lossy()).iter().rev() {
        let _ = umount2(target.as_str(), MntFlags::MNT_DETACH);
    }
}

fn in_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let result = std::thread::scope(|scope| scope.spawn(work).join());
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// The mounts of another node on the same machine: later mounts of this node are not mounted there.
pub(crate) struct OtherNode(File);

impl OtherNode {
    /// A node whose devices appear in a directory.
    pub(crate) fn with_devices(directory: &Path) -> OtherNode {
        fs::create_dir_all(directory).unwrap();
        OtherNode(in_a_thread(|| {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            propagate(MsFlags::MS_PRIVATE).unwrap();
            let_go_of_other_worlds();
            mount(Some(directory), gce::BY_ID, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
            File::open("/proc/thread-self/ns/mnt").unwrap()
        }))
    }

    /// Does something there.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        in_a_thread(|| {
            // A thread that shares its working directory with others cannot enter a mount namespace.
            unshare(CloneFlags::CLONE_FS).unwrap();
            setns(&self.0, CloneFlags::CLONE_NEWNS).unwrap();
            work()
        })
    }
}

/// Puts a file system of its own on a directory, which is created if it does not exist.
pub(crate) fn cover(directory: &str) {
    fs::create_dir_all(directory).unwrap();
    mount(Some("tmpfs"), directory, Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
}

/// The mount points below a directory.
pub(crate) fn mounts(directory: &str) -> Vec<String> {
    let all = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let targets = all.lines().filter_map(|line| line.split(' ').nth(4));
    targets.filter(|target| target.starts_with(directory)).map(str::to_owned).collect()
}
