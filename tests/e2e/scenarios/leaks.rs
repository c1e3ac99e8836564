//! Checks that a scenario leaves nothing behind: no mount, loop device, address, process or control group.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::network;
use crate::world::World;

/// The roots of the agents that a world may have: that of its node, and that of another one.
const AGENTS: [&str; 2] = ["root", "root2"];

/// Waits a moment for processes that are about to exit, and returns what is left.
pub(crate) fn nothing_is_left(world: &World) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let left = left(world);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("left behind: {}", left.join(", ")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn left(world: &World) -> Vec<String> {
    let mounts = mounts(world).into_iter().map(|mount| format!("mount {}", mount.display()));
    let loops = loops(world.directory()).into_iter().map(|device| format!("loop device {device}"));
    let processes = processes(world.directory()).into_iter().map(|(pid, line)| format!("process {pid} ({line})"));
    // The slice of the agent itself stays, as a directory of its own does, until the world is cleaned up.
    let groups = AGENTS.into_iter().flat_map(|root| control_groups(world, root).into_iter().skip(1));
    let groups = groups.map(|group| format!("control group {}", group.display()));
    let addresses = network::addresses(world).into_iter().map(|address| format!("address {address}"));
    mounts.chain(loops).chain(processes).chain(groups).chain(addresses).collect()
}

/// Removes by force what a failed scenario has left.
pub(crate) fn clean_up(world: &World) {
    for (pid, _) in processes(world.directory()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    for mount in mounts(world).iter().rev() {
        let _ = nix::mount::umount2(mount, nix::mount::MntFlags::MNT_DETACH);
    }
    for device in loops(world.directory()) {
        let _ = std::process::Command::new("losetup").args(["-d", &device]).status();
    }
    for root in AGENTS {
        control_groups(world, root).iter().rev().for_each(|group| drop(fs::remove_dir(group)));
    }
    network::remove_link(world);
}

fn mounts(world: &World) -> Vec<PathBuf> {
    let all = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let targets = all.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    targets.filter(|target| target.starts_with(world.directory())).collect()
}

/// The loop devices on files below a directory.
pub(crate) fn loops(directory: &Path) -> Vec<String> {
    let blocks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let on = |block: fs::DirEntry| {
        let file = fs::read_to_string(block.path().join("loop/backing_file")).ok()?;
        Path::new(&file).starts_with(directory).then(|| format!("/dev/{}", block.file_name().to_string_lossy()))
    };
    blocks.filter_map(on).collect()
}

/// The processes that name the directory in their arguments, or have it as working directory.
pub(crate) fn processes(directory: &Path) -> Vec<(i32, String)> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let words = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&words).replace('\0', " ");
        let inside = fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(directory));
        (inside || line.contains(&*directory.to_string_lossy())).then_some((pid, line))
    };
    all.filter_map(of).collect()
}

/// The control groups of an agent of the world, outermost first.
fn control_groups(world: &World, root: &str) -> Vec<PathBuf> {
    let home = agent::Directories::under(&world.path(root));
    let Some(slice) = agent::node::paths::control_group(&home) else { return Vec::new() };
    let mut found = if slice.is_dir() { vec![slice] } else { Vec::new() };
    let mut at = 0;
    while let Some(group) = found.get(at) {
        let inner = fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
        let inner: Vec<PathBuf> = inner.filter(|path| path.is_dir()).collect();
        found.extend(inner);
        at += 1;
    }
    found
}
