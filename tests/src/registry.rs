//! A registry of images on the loopback interface, in a directory of its own: the hub of a test that must not go out.
//!
//! What an engine pulls from docker.io comes from here when its configuration names [`Registry::url`] as a mirror. Dropped, it
//! is ended.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::dockerd::Dockerd;

const REGISTRY: &str = "/usr/bin/docker-registry";

/// Whom one with a password serves.
pub const USER: &str = "tester";
/// What it knows them by.
pub const PASSWORD: &str = "correct-horse";
/// As htpasswd(1) writes it.
const HTPASSWD: &str = "tester:$2b$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS\n";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running registry.
pub struct Registry {
    child: Child,
    address: SocketAddr,
}

impl Registry {
    /// What is not here that one needs, if anything.
    pub fn missing() -> Option<&'static str> {
        [REGISTRY].into_iter().find(|path| !Path::new(path).exists())
    }

    /// Starts one on a port that is free.
    pub fn start(directory: &Path) -> Result<Registry> {
        Registry::serve(directory, "")
    }

    /// Starts one that serves nobody but [`USER`].
    pub fn start_with_password(directory: &Path) -> Result<Registry> {
        std::fs::create_dir_all(directory)?;
        let users = directory.join("htpasswd");
        std::fs::write(&users, HTPASSWD)?;
        Registry::serve(directory, &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", users.display()))
    }

    fn serve(directory: &Path, auth: &str) -> Result<Registry> {
        std::fs::create_dir_all(directory)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = directory.join("registry.yml");
        let storage = directory.join("images");
        std::fs::write(&config, configuration(&storage, address) + auth)?;
        let child = Command::new(REGISTRY)
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context(REGISTRY)?;
        let mut registry = Registry { child, address };
        registry.wait()?;
        Ok(registry)
    }

    /// What an image of this registry is called.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Writes what docker-login(1) would, for whoever says that word, into a directory. Returns the file.
    pub fn log_in(&self, directory: &Path, password: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(directory)?;
        let file = directory.join("config.json");
        let entry = serde_json::json!({ "username": USER, "password": password });
        let content = serde_json::json!({ "auths": { self.address.to_string(): entry } });
        std::fs::write(&file, content.to_string())?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }

    /// What an engine calls it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes an image of an engine's, as if it had been pushed to docker.io. A name without a directory is an official image.
    pub fn take(&self, engine: &Dockerd, name: &str) -> Result<()> {
        let directory = if name.contains('/') { "" } else { "library/" };
        let here = format!("{}/{directory}{name}", self.address);
        engine.docker(&format!("tag {name} {here}"))?;
        engine.docker(&format!("push {here}"))?;
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).is_err() {
            ensure!(self.child.try_wait()?.is_none(), "{REGISTRY} ended at once");
            ensure!(Instant::now() < deadline, "{REGISTRY} does not listen on {}", self.address);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(storage: &Path, address: SocketAddr) -> String {
    format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
        storage.display()
    )
}
