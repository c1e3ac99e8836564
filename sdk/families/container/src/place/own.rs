//! An object's own dockerd: its data on a directory of the object's, its socket below the object's run directory.
//!
//! ```text
//!   {rundir}/engine/docker.sock docker.pid docker.json lock exec/    dockerd's
//!   {rundir}/engine/users/<rid>                                      the resources that need it
//!   {rundir}/engine/ending.<sid>/                                    that an action is about to end it
//!   {rundir}/engine/bound                                            that it bound its data directory to itself
//! ```
//!
//! No resource owns it. Whoever comes first starts it, and whoever leaves last, while no container runs, ends it. Two that come
//! at once both spawn flock(1), and the kernel lets one of them have the lock and run dockerd: it holds the lock as long as
//! dockerd lives, whoever kills it. (It waits a second, because who looks whether the lock is held has it for a moment.) The
//! engine outlives the agent, and containers outlive the engine (`--live-restore`): a stop after its death starts it again, to
//! stop what it left running.
//!
//! Of the node's own engine it knows the mirrors and the insecure registries, from `/etc/docker/daemon.json`, nothing else. It
//! makes no bridge and no rule of iptables, so that it is in nobody's way: containers get addresses from ip resources.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_sdk::{Command, Context, Error, Mode, Result, clock, files, log, mount};
use serde_json::{Map, Value};

use crate::{EngineClient, label};

/// How long the engine may take to answer after its start, and to end: half a minute.
const STEPS: u32 = 300;
const STEP: Duration = Duration::from_millis(100);

/// The configuration of the node's engine, and what in it is about registries.
const NODE_CONFIGURATION: &str = "/etc/docker/daemon.json";
const REGISTRIES: [&str; 2] = ["registry-mirrors", "insecure-registries"];

/// What the name of the mark of an action that ends it begins with.
const ENDING: &str = "ending.";

/// How often it is started. One that comes right after another was killed may end at once, for what that one has left.
const TRIES: u32 = 3;

/// An object's own engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEngine {
    data_dir: PathBuf,
    socket: PathBuf,
    folder: PathBuf,
    users: PathBuf,
    me: String,
    object: String,
    /// The action, whose resources come and go at the same time.
    sid: String,
    /// It tells this engine's containers from those of others in a containerd that they share.
    containerd_namespace: String,
}

/// What became of the engine when a resource left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineDeparture {
    /// The resource was not known to need it.
    AsItWas,
    /// Others need it.
    Running,
    /// It was ended.
    Ended,
}

impl OwnEngine {
    /// That of the object of this call.
    pub fn of(context: &Context, data_dir: &Path) -> Result<OwnEngine> {
        let rundir = context.rundir()?;
        let (namespace, name) = match context.object.split('/').collect::<Vec<_>>()[..] {
            [namespace, _, name] => (namespace.to_owned(), name.to_owned()),
            [_, name] => ("root".to_owned(), name.to_owned()),
            _ => ("root".to_owned(), context.object.clone()),
        };
        Ok(OwnEngine {
            data_dir: data_dir.to_owned(),
            folder: rundir.join("engine"),
            socket: rundir.join("engine/docker.sock"),
            users: rundir.join("engine/users"),
            me: context.rid.clone(),
            sid: context.var("sid").unwrap_or_default().to_owned(),
            object: context.object.clone(),
            containerd_namespace: format!("hostler.{namespace}.{name}"),
        })
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Says that this resource needs it. False if it was known.
    ///
    /// Who enters writes and then looks whether somebody ends it; who ends it writes that, and then looks whether somebody has
    /// entered. So one of the two sees the other.
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

    /// Whether it has ever been there, and what it left still is. The data may be on a file system that is not mounted now, and
    /// the directory may be the mount point of that.
    pub(crate) fn has_data(&self) -> Result<bool> {
        match files::list_directory(&self.data_dir) {
            Ok(names) => Ok(!names.is_empty()),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this resource has said that it needs it, and not yet that it does no longer.
    pub(crate) fn is_entered(&self) -> Result<bool> {
        Ok(files::exists(self.users.join(&self.me))?)
    }

    /// Starts it, or waits for whoever does.
    pub(crate) fn start(&self) -> Result<EngineClient> {
        self.prepare()?;
        let mut spawned = 0;
        for _ in 0..STEPS {
            match EngineClient::connect(&self.socket) {
                Ok(engine) => return Ok(engine),
                Err(error) if !error.is_passing() => return Err(error.into()),
                Err(_) => {}
            }
            if !self.is_held()? {
                if spawned == TRIES {
                    let text = format!("dockerd ends at once: see its output in the log directory, {}", self.output());
                    return Err(Error::failed(text));
                }
                self.command().spawn()?;
                spawned += 1;
            }
            clock::sleep(STEP)?;
        }
        Err(Error::retryable(format!(
            "dockerd does not answer: see its output in the log directory, {}",
            self.output()
        )))
    }

    /// Its directory and its configuration.
    fn prepare(&self) -> Result<()> {
        files::make_directory(&self.folder, Mode(0o700))?;
        let (file, configuration) = (self.folder.join("docker.json"), configuration());
        if !files::read_text(&file).is_ok_and(|before| before == configuration) {
            files::write(&file, &configuration, Mode(0o600))?;
        }
        if mount::mounts_at(&self.data_dir)?.is_empty() {
            files::write(self.folder.join("bound"), "", Mode(0o600))?;
        }
        Ok(())
    }

    /// Says that this resource needs it no longer, and ends it if nobody does and nothing runs in it.
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
                // It has not begun to answer yet, or another one that leaves is ending it at this moment.
            }
            Err(error) => return Err(error.into()),
            Ok(containers) if !containers.is_empty() => return Ok(left),
            Ok(_) => {}
        }
        // Two that leave at once both find it idle. The kernel lets one of them make the directory.
        if !files::make_directory(self.ending(), Mode(0o700))? {
            return Ok(left);
        }
        let ended =
            if self.is_needed()? { Ok(EngineDeparture::Running) } else { self.end().map(|()| EngineDeparture::Ended) };
        files::remove(self.ending())?;
        ended
    }

    fn is_needed(&self) -> Result<bool> {
        match files::list_directory(&self.users) {
            Ok(users) => Ok(!users.is_empty()),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What an earlier action has left that was cut short has another name.
    fn ending(&self) -> PathBuf {
        self.folder.join(format!("{ENDING}{}", self.sid))
    }

    fn forget_what_was_cut_short(&self) -> Result<()> {
        let names = files::list_directory(&self.folder)?;
        let old = names.iter().map(|name| self.folder.join(name)).filter(|path| *path != self.ending());
        for path in old.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(ENDING))) {
            files::remove(path)?;
        }
        Ok(())
    }

    /// Each one that there is: whoever came at the same time as another and waits for its turn gets the lock as soon as that one
    /// has ended, even if nobody needs it any more. So it is over only when the lock is free on two looks in a row.
    fn end(&self) -> Result<()> {
        let pidfile = self.path("docker.pid");
        log::info(format!("no container needs the engine at {}: ending it", self.socket.display()));
        let kill = ["--signal", "TERM", "--pidfile", &pidfile, "--full", "--", &pidfile];
        let (mut asked, mut was_free) = (None, false);
        for _ in 0..STEPS {
            let is_free = !self.is_held()?;
            if is_free && was_free {
                // One that was asked before it listened leaves its socket, which would say that it had died.
                files::remove(&self.socket)?;
                self.forget_what_was_cut_short()?;
                return self.unbind();
            }
            was_free = is_free;
            let number = Some(files::read_text(&pidfile).unwrap_or_default());
            // Asked three times, one would end without putting its things in order.
            if !is_free && number != asked {
                Command::new("/usr/bin/pkill").args(kill).run()?;
                asked = number;
            }
            clock::sleep(STEP)?;
        }
        Err(Error::retryable(format!("dockerd does not end: see its output in the log directory, {}", self.output())))
    }

    /// A dockerd that was killed left its data directory mounted on itself, and the next one takes that for somebody else's.
    fn unbind(&self) -> Result<()> {
        if files::remove(self.folder.join("bound"))? && !mount::mounts_at(&self.data_dir)?.is_empty() {
            mount::unmount(&self.data_dir)?;
        }
        Ok(())
    }

    /// Whether dockerd runs, or is about to. Who looks shares the lock with others that look.
    fn is_held(&self) -> Result<bool> {
        let look = Command::new("/usr/bin/flock").args(["--shared", "--nonblock", &self.path("lock"), "/bin/true"]);
        Ok(!look.run()?.succeeded())
    }

    fn command(&self) -> Command {
        let namespace = self.containerd_namespace.as_str();
        Command::new("/usr/bin/flock")
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
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// The file that the host appends its output to.
    fn output(&self) -> String {
        format!("{}.{}.out", self.object.replace('/', "."), self.me.replace('#', "."))
    }
}

/// Images come from where the node's engine gets them. All else that it is told, such as an address, must not be told to this
/// one.
fn configuration() -> String {
    let all = match files::read_text(NODE_CONFIGURATION) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
        Err(error) if error.is_not_found() => Ok(Map::new()),
        Err(error) => Err(error.to_string()),
    };
    let mut all = all.unwrap_or_else(|error| {
        log::warn(format!("the mirrors of {NODE_CONFIGURATION} are not used: {error}"));
        Map::new()
    });
    all.retain(|name, _| REGISTRIES.contains(&name.as_str()));
    Value::Object(all).to_string()
}
