//! A registry of images on the loopback interface, in a directory of its own: the hub for tests that must not use the internet.
//!
//! An engine whose configuration names [`Registry::url`] as a mirror pulls images of docker.io from here. Dropping the registry
//! stops it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::dockerd::Dockerd;

const REGISTRY: &str = "/usr/bin/docker-registry";

/// The user of a registry with a password.
pub const USER: &str = "tester";
/// The password of that user.
pub const PASSWORD: &str = "correct-horse";
/// The hash of the password, as htpasswd(1) writes it.
const HTPASSWD: &str = "tester:$2b$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS\n";

/// The limit for the wait until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running registry.
pub struct Registry {
    child: Child,
    address: SocketAddr,
}

impl Registry {
    /// The name of something that is missing here, if any.
    pub fn missing() -> Option<&'static str> {
        [REGISTRY].into_iter().find(|path| !Path::new(path).exists())
    }

    /// Starts a registry on a free port.
    pub fn start(directory: &Path) -> Result<Registry> {
        Registry::serve(directory, "")
    }

    /// Starts a registry that serves only [`USER`].
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

    /// The full name of an image in this registry.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Writes the file that docker-login(1) would write for this password into a directory. Returns its path.
    pub fn log_in(&self, directory: &Path, password: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(directory)?;
        let file = directory.join("config.json");
        let entry = serde_json::json!({ "username": USER, "password": password });
        let content = serde_json::json!({ "auths": { self.address.to_string(): entry } });
        std::fs::write(&file, content.to_string())?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }

    /// Its address, as an engine's configuration needs it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Pushes an image of an engine, as if to docker.io. A name without a slash is an official image.
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
