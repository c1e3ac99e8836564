//! An object's own dockerd: its data are in a directory of the object, its socket is below the object's run directory.
//!
//! ```text
//!   {rundir}/engine/docker.sock docker.pid docker.json lock exec/    files of dockerd
//!   {rundir}/engine/users/<rid>                                      exists while this resource needs the engine
//!   {rundir}/engine/ending.<sid>/                                    exists while an action stops the engine
//!   {rundir}/engine/bound                                            exists while dockerd's bind mount of its data may exist
//! ```
//!
//! No resource owns the engine. The first resource that needs it starts it, and the last one that leaves stops it, if no
//! container runs. Two resources that need it at the same time both spawn flock(1); the kernel gives the lock to one of them,
//! which runs dockerd and holds the lock as long as dockerd lives, however it dies. (flock waits a second, because a process that
//! checks the lock holds it for a moment.) The engine outlives the agent, and containers outlive the engine (`--live-restore`): a
//! stop after the death of the engine starts it again, to stop the containers that it left running.
//!
//! It uses the mirrors and the insecure registries of the node's engine, from `/etc/docker/daemon.json`, and nothing else of its
//! configuration. It creates no bridge and no iptables rules, so that it does not disturb the node's engine: containers get
//! addresses from ip resources.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_sdk::{Command, Context, Error, Mode, Result, clock, files, log, mount};
use serde_json::{Map, Value};

use crate::{EngineClient, label};

/// How long the engine may take to answer after its start, and to stop: half a minute.
const STEPS: u32 = 300;
const STEP: Duration = Duration::from_millis(100);

/// The configuration of the node's engine, and its members about registries.
const NODE_CONFIGURATION: &str = "/etc/docker/daemon.json";
const REGISTRIES: [&str; 2] = ["registry-mirrors", "insecure-registries"];

/// The prefix of the marks of actions that stop the engine.
const ENDING: &str = "ending.";

/// How often it is started. A dockerd that starts right after another one was killed may exit at once, because of the files that
/// the other one left.
const TRIES: u32 = 3;

/// An object's own engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEngine {
    data_dir: PathBuf,
    socket: PathBuf,
    directory: PathBuf,
    users: PathBuf,
    me: String,
    object: String,
    /// The session id of the action. Several resources of one action can start and stop at the same time.
    sid: String,
    /// The namespace that separates this engine's containers from those of others in a shared containerd.
    containerd_namespace: String,
}

/// The result for the engine when a resource leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineDeparture {
    /// The resource was not registered.
    AsItWas,
    /// Other resources need it, or a container runs.
    Running,
    /// The engine was stopped.
    Stopped,
}

impl OwnEngine {
    /// The engine of the object of this call.
    pub fn of(context: &Context, data_dir: &Path) -> Result<OwnEngine> {
        let rundir = context.rundir()?;
        // The object's path has one part in the namespace root, and three elsewhere.
        let (namespace, name) = match context.object.split('/').collect::<Vec<_>>()[..] {
            [namespace, _, name] => (namespace.to_owned(), name.to_owned()),
            [_, name] => ("root".to_owned(), name.to_owned()),
            _ => ("root".to_owned(), context.object.clone()),
        };
        Ok(OwnEngine {
            data_dir: data_dir.to_owned(),
            directory: rundir.join("engine"),
            socket: rundir.join("engine/docker.sock"),
            users: rundir.join("engine/users"),
            me: context.rid.clone(),
            sid: context.var("sid").unwrap_or_default().to_owned(),
            object: context.object.clone(),
            containerd_namespace: format!("hostler.{namespace}.{name}"),
        })
    }

    /// The socket of the engine.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Registers this resource. False if it was already registered.
    ///
    /// A resource registers first and then checks for an `ending` mark; the resource that stops the engine sets the mark first and
    /// then checks for registrations. In any interleaving at least one of them sees the other.
    pub(crate) fn enter(&self) -> Result<bool> {
        let mark = self.users.join(&self.me);
        let is_new = !files::exists(&mark)?;
        if is_new {
            files::make_directory(&self.users, Mode(0o700))?;
            files::write(&mark, "", Mode(0o600))?;
        }
        for _ in 0..STEPS {
            if !files::exists(self.ending())? {
                return Ok(is_new);
            }
            clock::sleep(STEP)?;
        }
        Err(Error::retryable(format!(
            "the engine at {} keeps being stopped by another resource",
            self.socket.display()
        )))
    }

    /// Whether the engine has data here. The data may be on a file system that is not mounted now; the directory may be its mount
    /// point, which is empty then.
    pub(crate) fn has_data(&self) -> Result<bool> {
        match files::list_directory(&self.data_dir) {
            Ok(names) => Ok(!names.is_empty()),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this resource is registered.
    pub(crate) fn is_entered(&self) -> Result<bool> {
        Ok(files::exists(self.users.join(&self.me))?)
    }

    /// Starts the engine, or waits until another resource has started it.
    pub(crate) fn start(&self) -> Result<EngineClient> {
        self.prepare()?;
        let mut spawned = 0;
        for _ in 0..STEPS {
            match EngineClient::connect(&self.socket) {
                Ok(engine) => return Ok(engine),
                Err(error) if !error.is_passing() => return Err(error.into()),
                Err(_) => {}
            }
            // Checked in every round: the dockerd that was spawned may have lost the lock to another one, or died.
            if !self.is_held()? {
                if spawned == TRIES {
                    let text = format!("dockerd exits at once: see its output in the log directory, {}", self.output());
                    return Err(Error::failed(text));
                }
                self.clear()?;
                self.command().setting("shared", "true").spawn()?;
                spawned += 1;
            }
            clock::sleep(STEP)?;
        }
        Err(Error::retryable(format!(
            "dockerd does not answer: see its output in the log directory, {}",
            self.output()
        )))
    }

    /// Writes its directory and its configuration.
    fn prepare(&self) -> Result<()> {
        files::make_directory(&self.directory, Mode(0o700))?;
        let (file, configuration) = (self.directory.join("docker.json"), configuration());
        if !files::read_text(&file).is_ok_and(|before| before == configuration) {
            files::write(&file, &configuration, Mode(0o600))?;
        }
        // Recorded before dockerd runs: only a mount that did not exist now may be undone later.
        if mount::mounts_at(&self.data_dir)?.is_empty() {
            files::write(self.directory.join("bound"), "", Mode(0o600))?;
        }
        Ok(())
    }

    /// Removes the registration of this resource, and stops the engine if no other resource is registered and no container runs.
    pub(crate) fn leave(&self) -> Result<EngineDeparture> {
        let was_needed = files::remove(self.users.join(&self.me))?;
        let left = if was_needed { EngineDeparture::Running } else { EngineDeparture::AsItWas };
        if self.is_needed()? {
            return Ok(left);
        }
        let running = |engine: EngineClient| engine.containers(&[(label::OBJECT, &self.object)], false);
        match EngineClient::connect(&self.socket).and_then(running) {
            Err(error) if error.is_passing() => {
                if !self.is_held()? {
                    return Ok(left);
                }
                // The engine is still starting, or another resource is stopping it at this moment.
            }
            Err(error) => return Err(error.into()),
            Ok(containers) if !containers.is_empty() => return Ok(left),
            Ok(_) => {}
        }
        // Two resources that leave at the same time both find it idle. Only one of them can create the directory.
        if !files::make_directory(self.ending(), Mode(0o700))? {
            return Ok(left);
        }
        // Checked again after the mark is set: a resource that registered in between waits until the mark is gone.
        let departure = if self.is_needed()? {
            Ok(EngineDeparture::Running)
        } else {
            self.stop().map(|()| EngineDeparture::Stopped)
        };
        files::remove(self.ending())?;
        departure
    }

    fn is_needed(&self) -> Result<bool> {
        // A missing directory means that no resource ever registered.
        match files::list_directory(&self.users) {
            Ok(users) => Ok(!users.is_empty()),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The mark of this action. Marks that interrupted actions left have other names.
    fn ending(&self) -> PathBuf {
        self.directory.join(format!("{ENDING}{}", self.sid))
    }

    fn forget_what_was_cut_short(&self) -> Result<()> {
        let names = files::list_directory(&self.directory)?;
        let old = names.iter().map(|name| self.directory.join(name)).filter(|path| *path != self.ending());
        for path in old.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(ENDING))) {
            files::remove(path)?;
        }
        Ok(())
    }

    /// Stops every dockerd there is. A second one that waited for the lock takes it the moment the first exits, so the engine counts
    /// as stopped only when the lock is free on two checks in a row.
    fn stop(&self) -> Result<()> {
        let pidfile = self.path("docker.pid");
        log::info(format!("no container needs the engine at {}: stopping it", self.socket.display()));
        let kill = ["--signal", "TERM", "--pidfile", &pidfile, "--full", "--", &pidfile];
        let (mut asked, mut was_free) = (None, false);
        for _ in 0..STEPS {
            let is_free = !self.is_held()?;
            if is_free && was_free {
                // A dockerd that was stopped before it listened leaves its socket, which would look as if it had died.
                files::remove(&self.socket)?;
                self.forget_what_was_cut_short()?;
                return self.unbind();
            }
            // A free lock alone is not enough: see the comment of this function.
            was_free = is_free;
            // The pid file is read as text and may be half written; pkill checks it again with --pidfile.
            let number = files::read_text(&pidfile).ok().filter(|text| !text.trim().is_empty());
            // dockerd exits without cleaning up at the third signal, so each process gets only one. One that has not written its number
            // yet, or has removed it already, is waited for.
            if !is_free && number.is_some() && number != asked {
                Command::new("/usr/bin/pkill").args(kill).run()?;
                asked = number;
            }
            clock::sleep(STEP)?;
        }
        Err(Error::retryable(format!("dockerd does not stop: see its output in the log directory, {}", self.output())))
    }

    /// A dockerd that was killed leaves its data directory bind-mounted on itself, and the next one does not undo a mount that it
    /// finds.
    fn unbind(&self) -> Result<()> {
        if files::remove(self.directory.join("bound"))? && !mount::mounts_at(&self.data_dir)?.is_empty() {
            mount::unmount(&self.data_dir)?;
        }
        Ok(())
    }

    /// Whether dockerd runs, or is starting. The check takes a shared lock, so that checks do not disturb each other.
    fn is_held(&self) -> Result<bool> {
        let look = Command::new("/usr/bin/flock").args(["--shared", "--nonblock", &self.path("lock"), "/bin/true"]);
        Ok(!look.run()?.succeeded())
    }

    /// Removes the pid files of a dockerd that was killed: another process may have its number by now, and dockerd would take that for a
    /// dockerd. Under the lock, so that the files are those of a dockerd that is gone. If another resource's dockerd has the lock by
    /// now, there is nothing to remove.
    fn clear(&self) -> Result<()> {
        let files = ["docker.pid", "exec/containerd/containerd.pid"].map(|name| self.path(name));
        Command::new("/usr/bin/flock")
            .args(["--timeout", "1", &self.path("lock"), "/bin/rm", "-f"])
            .args(files)
            .run()?;
        Ok(())
    }

    fn command(&self) -> Command {
        let namespace = self.containerd_namespace.as_str();
        Command::new("/usr/bin/flock")
            // `--close` keeps the lock out of dockerd and its children, which would otherwise hold it after dockerd's death.
            .args(["--timeout", "1", "--close", &self.path("lock"), "dockerd"])
            .args(["--config-file", &self.path("docker.json")])
            .args(["--data-root", &self.data_dir.to_string_lossy(), "--exec-root", &self.path("exec")])
            .args(["--pidfile", &self.path("docker.pid"), "--host", &format!("unix://{}", self.socket.display())])
            .args(["--containerd-namespace", namespace])
            .args(["--containerd-plugins-namespace", &format!("{namespace}.plugins")])
            .args(["--live-restore", "--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--ip-forward=false", "--ip-masq=false"])
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().into_owned()
    }

    /// The file to which the host appends its output.
    fn output(&self) -> String {
        format!("{}.{}.out", self.object.replace('/', "."), self.me.replace('#', "."))
    }
}

/// The configuration: the registry settings of the node's engine. Its other settings, such as addresses, must not be shared.
fn configuration() -> String {
    let all = match files::read_text(NODE_CONFIGURATION) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
        Err(error) if error.is_not_found() => Ok(Map::new()),
        Err(error) => Err(error.to_string()),
    };
    // Without the mirrors images still come from the registry itself, so this is only a warning.
    let mut all = all.unwrap_or_else(|error| {
        log::warn(format!("the mirrors of {NODE_CONFIGURATION} are not used: {error}"));
        Map::new()
    });
    all.retain(|name, _| REGISTRIES.contains(&name.as_str()));
    Value::Object(all).to_string()
}
