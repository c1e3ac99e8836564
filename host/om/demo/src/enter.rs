//! Leaves the machine's namespaces, so that the demo touches nothing of the machine. To be called before the process has a
//! second thread, because a user namespace cannot be entered later.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use kernel::net::Netlink;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

use crate::DemoRung;

/// Enters the namespaces of the rung. Except on the last rung, `directory` then has a file system of its own.
pub(super) fn enter(rung: DemoRung, directory: &Path) -> Result<()> {
    match rung {
        DemoRung::Root => {
            // Tried before anything is entered: otherwise the demo would fail halfway, at its first disk.
            fs::File::open("/dev/loop-control").context("there are no loop devices: /dev/loop-control")?;
            leave(CloneFlags::empty())?;
        }
        DemoRung::User => {
            let (uid, gid) = (getuid(), getgid());
            leave(CloneFlags::CLONE_NEWUSER)?;
            // An unprivileged process could gain access by dropping groups, so the kernel wants setgroups(2) switched off first.
            fs::write("/proc/self/setgroups", "deny").context("cannot write /proc/self/setgroups")?;
            // Its own uid is the only one that an unprivileged process may map, see user_namespaces(7).
            fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("cannot write /proc/self/uid_map")?;
            fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("cannot write /proc/self/gid_map")?;
        }
        DemoRung::Plain => return Ok(()),
    }
    let none = None::<&str>;
    // A new mount namespace inherits how mounts propagate: where `/` is shared, the demo's mounts would appear outside.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).context("cannot make the mounts private")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("hostler-demo"), directory, Some("tmpfs"), flags, Some("mode=0755,size=256m"))
        .with_context(|| format!("cannot mount a tmpfs on {}", directory.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // In a new network namespace, even lo is down.
    runtime.context("cannot start the asynchronous runtime")?.block_on(set_up("lo"))
}

fn leave(also: CloneFlags) -> Result<()> {
    unshare(also | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).context("private namespaces are not available")
}

async fn set_up(name: &str) -> Result<()> {
    let netlink = Netlink::open()?;
    let link = netlink.find_link(name).await?.ok_or_else(|| anyhow!("the interface {name} does not exist"))?;
    Ok(netlink.set_up(&link).await?)
}
