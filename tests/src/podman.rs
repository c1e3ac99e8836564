//! A service of podman with its own directories and socket, and an image that contains only busybox.
//!
//! Containers are run by runc, which needs no particular hierarchy of control groups.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::dockerd::pack_busybox;

const PODMAN: &str = "/usr/bin/podman";
const RUNC: &str = "/usr/sbin/runc";

/// The name of the image.
pub const IMAGE: &str = "localhost/busybox:test";

/// The limit for the wait for its socket.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running service.
pub struct Podman {
    child: Child,
    directory: PathBuf,
}

impl Podman {
    /// The name of something that is missing here, if any.
    pub fn missing() -> Option<&'static str> {
        [PODMAN, RUNC, "/bin/busybox"].into_iter().find(|path| !Path::new(path).exists())
    }

    /// Starts a service whose files are all below `directory`.
    pub fn start(directory: &Path) -> Result<Podman> {
        let packed = pack_busybox(directory)?;
        podman(directory, &["import", &packed.display().to_string(), IMAGE])?;
        let socket = directory.join("podman.sock");
        let child = command(directory)
            .args(["system", "service", "--time", "0", &format!("unix://{}", socket.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let started = Podman { child, directory: directory.to_owned() };
        let deadline = Instant::now() + PATIENCE;
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            ensure!(Instant::now() < deadline, "podman's service does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(started)
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("podman.sock")
    }

    /// Starts podman(1), and does not wait for it.
    pub fn spawn(&self, line: &str) -> Result<Child> {
        let mut command = command(&self.directory);
        Ok(command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// The output of podman(1), which must succeed.
    pub fn podman(&self, line: &str) -> Result<String> {
        podman(&self.directory, &line.split_whitespace().collect::<Vec<_>>())
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.podman("rm -f -a -t 0");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(directory: &Path) -> Command {
    let at = |name: &str| directory.join(name).display().to_string();
    let mut command = Command::new(PODMAN);
    command
        .args(["--root", &at("root"), "--runroot", &at("run"), "--runtime", RUNC, "--cgroup-manager", "cgroupfs"])
        .args(["--storage-driver", "vfs", "--events-backend", "file"]);
    command
}

fn podman(directory: &Path, words: &[&str]) -> Result<String> {
    let output = command(directory).args(words).output()?;
    ensure!(output.status.success(), "podman {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
