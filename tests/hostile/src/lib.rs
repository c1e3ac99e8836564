//! `app.hostile`: a driver that attacks the host as its keyword `attempt` says, in every verb. It tests the sandbox.
//!
//! It requests one grant of each kind, for the things that its own keywords name. The sandbox must refuse everything beyond that.
//! The driver breaks every rule for drivers on purpose.

mod abi;
mod break_out;
mod capabilities;
mod waste;

use hostler_sdk::prelude::*;

/// A driver that misbehaves on request.
#[derive(Keywords)]
#[expect(dead_code, reason = "most keywords are there for the grants to name them")]
struct HostileDriver {
    /// The attack: a word, and its arguments.
    attempt: Vec<String>,
    /// A directory that it may use.
    own: Option<PathBuf>,
    /// Its own file of a disk.
    disk: Option<PathBuf>,
    /// The only argument that it may pass to a program.
    word: Option<String>,
    /// A secret that it may pass to a program.
    #[keyword(secret)]
    password: Option<String>,
    /// The program of its console.
    console_program: Option<PathBuf>,
    /// Its own address.
    address: Option<String>,
    /// Its own socket.
    socket: Option<PathBuf>,
    /// Its own network namespace.
    netns: Option<String>,
    /// A directory that only the driver's own default names.
    #[keyword(default = "/srv/hostler-lure")]
    lure: Option<PathBuf>,
    /// A group that only the driver's own default names.
    #[keyword(default = "shadow")]
    group: Option<String>,
    /// A variable that only the driver's own default names.
    #[keyword(kind = "words", default = "HOSTILE=default")]
    tuning: Vec<String>,
    /// Variables that the configuration names.
    #[keyword(kind = "words")]
    environment: Vec<String>,
    /// A program that it may run, without arguments.
    program: Option<PathBuf>,
    /// The directory in which that program may run.
    cwd: Option<PathBuf>,
    /// An overlay of its own.
    overlay: Option<PathBuf>,
    /// A path that it may read.
    reads: Option<PathBuf>,
    /// An address that it may look at.
    url: Option<String>,
    /// A container engine's socket, which is guarded.
    engine: Option<PathBuf>,
    /// The image of its container.
    image: Option<String>,
    /// The mounts of its container.
    volume_mounts: Vec<String>,
    /// More of its container.
    #[keyword(kind = "words")]
    run_args: Vec<String>,
}

#[driver(task, sync, console)]
impl Driver for HostileDriver {
    const NAME: &str = "app.hostile";
    const GRANTS: &[&str] = &[
        "files.write = {kw:own}/**",
        "mount = tmpfs tmpfs on {kw:own}",
        "block.loop = {kw:disk}",
        "net.addr = {kw:address} on lo",
        "exec = /bin/echo {kw:word}",
        "exec = /bin/echo {kw:password}",
        "files.write = {kw:lure}/**",
        "exec(group={kw:group}, cwd={kw:cwd}, env=PORT+HOME+KUBECONFIG) = {kw:program}",
        "mount = overlay overlay on {kw:overlay}",
        "files.read = {kw:reads}",
        "http = GET {kw:url}",
        "exec = {kw:console_program}",
        "http.unix = GET {kw:socket} /info",
        "netns.link = bridge br0 in {kw:netns}",
        "netns.addr = {kw:address} in {kw:netns}",
        "http.unix(guard=container) = GET,HEAD,POST,PUT,DELETE {kw:engine} /**",
    ];

    fn validate(&self, context: &Context) -> Result<Vec<Problem>> {
        self.attempt(context).map(|_| Vec::new())
    }

    fn status(&self, context: &Context) -> Result<Status> {
        match self.words()[..] {
            ["expose", device] => return Ok(Status::up().exposes("device", device)),
            ["expose-netns", path] => return Ok(Status::up().exposes("netns", path)),
            _ => {}
        }
        Ok(Status::up().label(self.attempt(context)?.text))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        self.attempt(context).map(AttackAttempt::into_outcome)
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        self.attempt(context).map(AttackAttempt::into_outcome)
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        self.attempt(context).map(AttackAttempt::into_outcome)
    }

    fn unprovision(&self, context: &Context) -> Result<Outcome> {
        self.attempt(context).map(AttackAttempt::into_outcome)
    }
}

impl Task for HostileDriver {
    fn run(&self, context: &Context) -> Result<RunReport> {
        self.attempt(context).map(|attempt| RunReport { exit_status: 0, text: attempt.text })
    }
}

impl Sync for HostileDriver {
    fn sync(&self, context: &Context, _: &str, target: &str) -> Result<TargetReport> {
        self.attempt(context).map(|_| TargetReport::copied(target, 0))
    }
}

/// The description of a console is an attack too: it consists of the words of the attempt.
impl Console for HostileDriver {
    fn enter(&self, _: &Context) -> Result<Attachment> {
        self.attachment()
    }

    fn exec(&self, context: &Context, argv: &[String]) -> Result<Attachment> {
        match self.words()[..] {
            // The same requests as those of a driver of containers.
            ["honest", engine, container] => {
                let body = serde_json::json!({
                    "Cmd": argv, "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": false,
                });
                let path = format!("/v1.41/containers/{container}/exec");
                let prepared = http::HttpRequest::unix("POST", engine, path).json(&body).send()?.json()?;
                let id = prepared["Id"].as_str().unwrap_or_default();
                Ok(Attachment::upgrade(engine, "POST", format!("/v1.41/exec/{id}/start"), "{}"))
            }
            ["other-command", engine, container] => {
                let body = format!(r#"{{"Cmd":["/bin/sh"],"AttachStdout":true,"Tty":{}}}"#, context.force());
                let path = format!("/v1.41/containers/{container}/exec");
                http::HttpRequest::unix("POST", engine, path).body(body).send()?;
                Err(Error::failed("another command was prepared"))
            }
            _ => self.attachment(),
        }
    }

    fn logs(&self, _: &Context, _: bool) -> Result<Attachment> {
        self.attachment()
    }
}

impl HostileDriver {
    fn attachment(&self) -> Result<Attachment> {
        match self.words()[..] {
            ["upgrade", socket, method, path, body] => Ok(Attachment::upgrade(socket, method, path, body)),
            ["process", ref argv @ ..] => Ok(Attachment::process(argv.iter().copied())),
            _ => Err(Error::Unsupported),
        }
    }
}

/// The result of an attack that was not refused.
struct AttackAttempt {
    /// The text that the driver reports.
    changed: bool,
    text: String,
}

impl AttackAttempt {
    fn into_outcome(self) -> Outcome {
        match self.changed {
            true => Outcome::changed(self.text),
            false => Outcome::unchanged(self.text),
        }
    }
}

impl HostileDriver {
    fn words(&self) -> Vec<&str> {
        self.attempt.iter().map(String::as_str).collect()
    }

    fn attempt(&self, context: &Context) -> Result<AttackAttempt> {
        let words = self.words();
        let text = match words.split_first() {
            Some((&"lie", ["changed"])) => return Ok(AttackAttempt { changed: true, text: "did nothing".to_owned() }),
            Some((&"lie", ["unchanged", path])) => {
                files::write(path, "", Mode(0o600))?;
                return Ok(AttackAttempt { changed: false, text: "did something".to_owned() });
            }
            Some((verb, rest)) => waste::attempt(verb, rest)
                .or_else(|| break_out::attempt(verb, rest, context))
                .or_else(|| abi::attempt(verb, rest))
                .or_else(|| capabilities::attempt(verb, rest)),
            None => None,
        };
        let text = text.unwrap_or_else(|| Err(Error::invalid_config(format!("no attempt {words:?}"))))?;
        Ok(AttackAttempt { changed: true, text })
    }
}
