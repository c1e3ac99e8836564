//! A dockerd with its own directories and socket, and an image that contains only busybox.
//!
//! Dropping it stops it, with all its containers. [`Dockerd::missing`] names what this machine lacks for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

const DOCKERD: &str = "/usr/sbin/dockerd";
const DOCKER: &str = "/usr/bin/docker";
/// Statically linked, so that it runs in an image that contains nothing else.
const BUSYBOX: &str = "/bin/busybox";

/// The name of the image, and the commands in it.
pub const IMAGE: &str = "busybox:test";
const COMMANDS: [&str; 13] =
    ["sh", "sleep", "echo", "cat", "id", "ls", "env", "hostname", "nc", "readlink", "stty", "touch", "tty"];

/// The limit for every wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running engine.
pub struct Dockerd {
    child: Child,
    directory: PathBuf,
    data: PathBuf,
}

impl Dockerd {
    /// The name of something that is missing here, if any.
    pub fn missing() -> Option<&'static str> {
        [DOCKERD, DOCKER, BUSYBOX].into_iter().find(|path| !Path::new(path).exists())
    }

    /// Starts one: its socket below `directory`, its data in `data`. It has the image.
    pub fn start(directory: &Path, data: &Path) -> Result<Dockerd> {
        std::fs::create_dir_all(directory)?;
        std::fs::write(directory.join("docker.json"), "{}")?;
        let child = spawn(directory, data)?;
        let dockerd = Dockerd { child, directory: directory.to_owned(), data: data.to_owned() };
        dockerd.import()?;
        Ok(dockerd)
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("docker.sock")
    }

    /// Kills it, as a lack of memory would. Its containers go on until it is started again.
    pub fn kill(&mut self) -> Result<()> {
        let containerd = std::fs::read_to_string(self.directory.join("exec/containerd/containerd.pid"))?;
        self.child.kill()?;
        self.child.wait()?;
        // The kernel kills its containerd too. A dockerd that starts before that is gone would wait for it.
        let deadline = Instant::now() + PATIENCE;
        while Path::new("/proc").join(containerd.trim()).exists() {
            ensure!(Instant::now() < deadline, "containerd does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts it again.
    pub fn revive(&mut self) -> Result<()> {
        self.child = spawn(&self.directory, &self.data)?;
        Ok(())
    }

    /// The output of docker(1), which must succeed.
    pub fn docker(&self, line: &str) -> Result<String> {
        docker(&self.socket(), line)
    }

    /// `web.container.1 running`, sorted.
    pub fn containers(&self) -> Result<Vec<String>> {
        containers(&self.socket())
    }

    /// Makes an image whose containers run a command of the shell.
    pub fn make_image(&self, name: &str, command: &str) -> Result<()> {
        self.make_image_with(name, &[&format!("CMD {}", serde_json::json!(["sh", "-c", command]))])
    }

    /// Makes an image with these instructions of a Dockerfile.
    pub fn make_image_with(&self, name: &str, instructions: &[&str]) -> Result<()> {
        let packed = self.directory.join("image.tar").display().to_string();
        let changes = instructions.iter().flat_map(|instruction| ["--change", instruction]);
        let words: Vec<&str> = ["import"].into_iter().chain(changes).chain([packed.as_str(), name]).collect();
        run(&self.socket(), &words).map(drop)
    }

    fn import(&self) -> Result<()> {
        let packed = pack_busybox(&self.directory)?;
        self.docker(&format!("import {} {IMAGE}", packed.display())).map(drop)
    }
}

/// An archive of an image, made in `directory`.
pub(crate) fn pack_busybox(directory: &Path) -> Result<PathBuf> {
    let root = directory.join("image");
    std::fs::create_dir_all(root.join("bin"))?;
    std::fs::copy(BUSYBOX, root.join("bin/busybox"))?;
    for name in COMMANDS {
        let link = root.join("bin").join(name);
        if !link.is_symlink() {
            std::os::unix::fs::symlink("busybox", link)?;
        }
    }
    let packed = directory.join("image.tar");
    let tar = Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&packed).arg(".").status()?;
    ensure!(tar.success(), "tar failed");
    Ok(packed)
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if let Ok(ids) = self.docker("ps -aq") {
            let ids = ids.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = self.docker(&format!("rm -f -v {ids}"));
        }
        // It is a child, so its pid cannot be reused before it is waited for.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        // Only an engine that was killed leaves its data directory mounted on itself. Otherwise umount(8) fails, silently.
        let _ = Command::new("umount").arg(&self.data).stderr(Stdio::null()).status();
    }
}

/// The output of docker(1) for the engine at a socket.
pub fn docker(socket: &Path, line: &str) -> Result<String> {
    run(socket, &line.split_whitespace().collect::<Vec<_>>())
}

fn run(socket: &Path, words: &[&str]) -> Result<String> {
    let host = format!("unix://{}", socket.display());
    let Output { status, stdout, stderr } = Command::new(DOCKER).args(["--host", &host]).args(words).output()?;
    let stderr = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "docker {}: {stderr}", words.join(" "));
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// `web.container.1 running`, sorted.
pub fn containers(socket: &Path) -> Result<Vec<String>> {
    let listed = docker(socket, "ps -a --format {{.Names}}={{.State}}")?;
    let mut found: Vec<String> = listed.lines().map(|line| line.replace('=', " ")).collect();
    found.sort();
    Ok(found)
}

/// Returns when it listens.
fn spawn(directory: &Path, data: &Path) -> Result<Child> {
    let at = |name: &str| directory.join(name).display().to_string();
    // A namespace of its own keeps its containers apart even if it shares a containerd.
    let namespace = format!("hostler.test.{}", std::process::id());
    let mut child = Command::new(DOCKERD)
        .args(["--config-file", &at("docker.json"), "--host", &format!("unix://{}", at("docker.sock"))])
        .args(["--data-root", &data.display().to_string(), "--exec-root", &at("exec"), "--pidfile", &at("docker.pid")])
        .args(["--containerd-namespace", &namespace, "--containerd-plugins-namespace", &format!("{namespace}.plugins")])
        .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context(DOCKERD)?;
    let mut lines = BufReader::new(child.stderr.take().context("no stderr")?).lines();
    let mut said = Vec::new();
    loop {
        let line = lines.next().with_context(|| format!("dockerd does not start: {said:#?}"))??;
        if line.contains("API listen on") {
            break;
        }
        said.push(line);
    }
    // It must not wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(child)
}
