//! A copy of this machine with systemd as its init, in namespaces and a control group of its own. What it writes is gone with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Far longer than a boot takes, which is a second where the machine is quiet.
const PATIENCE: Duration = Duration::from_secs(120);

const SYSTEMD_IS_UP: &str = "systemctl is-active --quiet basic.target";

/// The guest. Its end takes everything down.
pub(crate) struct Guest {
    unshare: Child,
    group: PathBuf,
    _scratch: TempDir,
}

/// The end of a command in the guest.
pub(crate) struct GuestOutput {
    pub(crate) is_success: bool,
    /// What it printed, on both streams.
    pub(crate) text: String,
}

impl Guest {
    /// Boots a guest that sees this directory as /srv/packages.
    pub(crate) fn boot(packages: &Path) -> Guest {
        let scratch = tempfile::tempdir().unwrap();
        let group = cgroup2().join(format!("hostler-package-{}", std::process::id()));
        fs::create_dir(&group).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/package/boot.sh");
        // The shell enters the group before unshare makes it the root of a cgroup namespace.
        let unshare = Command::new("sh")
            .args(["-c", r#"echo $$ > "$0/cgroup.procs"; exec unshare --mount --net --pid --ipc --uts --cgroup --fork --kill-child --propagation private "$@""#])
            .arg(&group)
            .arg("sh")
            .arg(script)
            .args([scratch.path(), packages])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut guest = Guest { unshare, group, _scratch: scratch };
        guest.await_systemd();
        guest
    }

    fn await_systemd(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.init().is_none() || !self.run(SYSTEMD_IS_UP).is_success {
            if let Some(status) = self.unshare.try_wait().unwrap() {
                panic!("the guest did not boot: {status}");
            }
            assert!(Instant::now() < until, "systemd is not up: {}", self.run("systemctl list-units --failed").text);
            sleep(Duration::from_millis(50));
        }
    }

    /// Runs a line of shell in the guest.
    pub(crate) fn run(&self, line: &str) -> GuestOutput {
        let Some(init) = self.init() else { return GuestOutput { is_success: false, text: "no guest".into() } };
        let output = Command::new("nsenter")
            .args(["--all", "--target", &init.to_string(), "--root", "--wd", "sh", "-c"])
            .arg(format!("exec 2>&1; {line}"))
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("HOME", "/root")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        GuestOutput { is_success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    /// What a line of shell prints, which must succeed.
    #[track_caller]
    pub(crate) fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.is_success, "{line}: {}", output.text);
        output.text.trim().to_owned()
    }

    /// Runs a line of shell until it succeeds.
    #[track_caller]
    pub(crate) fn eventually(&self, line: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let output = self.run(line);
            if output.is_success {
                return output.text.trim().to_owned();
            }
            assert!(Instant::now() < until, "{line}: {}", output.text);
            sleep(Duration::from_millis(50));
        }
    }

    /// The first process of the guest, by its number here.
    fn init(&self) -> Option<u32> {
        let pid = self.unshare.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let init = children.split_whitespace().next()?.parse().ok()?;
        // Until then it is the script, and sees this machine.
        let name = fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
        (name.trim() == "systemd").then_some(init)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // unshare ends its child with itself, and the end of an init is the end of all its processes.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        let _ = fs::write(self.group.join("cgroup.kill"), "1");
        let until = Instant::now() + PATIENCE;
        while remove_groups(&self.group).is_err() && Instant::now() < until {
            sleep(Duration::from_millis(20));
        }
    }
}

/// Removes a control group with those below it, which must be empty of processes.
fn remove_groups(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group)?.flatten() {
        if entry.file_type()?.is_dir() {
            remove_groups(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}

/// The mount point of the second version of control groups.
fn cgroup2() -> PathBuf {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let of_type = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"));
    let mount = of_type.and_then(|line| line.split(' ').nth(1)).expect("no cgroup2 is mounted");
    mount.into()
}
