//! Drivers that show one thing each.

use hostler_sdk::prelude::*;

/// A probe of "quotes" and \backslashes.
///
/// Line one,
/// line two.
///
/// Second paragraph: ünïcödé.
#[derive(Keywords, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Needed.
    #[keyword(example = "/srv/{rid}\t\u{1b}")]
    pub file: PathBuf,
    /// Has a default.
    #[keyword(provisioning, default = "1g", scopable = false)]
    pub size: Size,
    /// May be absent.
    #[keyword(secret, alias = "pw", alias = "pass", inherit)]
    pub password: Option<String>,
    /// Another name and kind.
    #[keyword(name = "type", kind = "nodes", candidates("a", "b"))]
    pub of: Vec<String>,
    /// Absent is false.
    pub lazy: bool,
    /// Milliseconds.
    pub timeout: Option<Duration>,
    /// Decimal.
    pub mode: Option<Mode>,
    /// A port.
    pub port: Option<u16>,
    /// Variables from a data store.
    #[keyword(store = "sec")]
    pub secrets: Vec<String>,
    /// One text of a data store.
    #[keyword(store = "sec")]
    pub token: Option<Secret>,
    #[keyword(flatten)]
    pub run: RunAs,
}

/// Shared by several drivers.
#[derive(Keywords, Debug, PartialEq, Eq)]
pub(crate) struct RunAs {
    /// The command.
    pub command: Command,
    /// Who runs it.
    #[keyword(default = "root")]
    pub user: String,
}

#[driver(task, sync, console, migrate)]
impl Driver for Probe {
    const NAME: &str = "task.probe";
    const ALIASES: &[&str] = &["prober"];
    const GRANTS: &[&str] = &["exec = {kw:command}", "files.read = {kw:file}", "http.unix = POST /run/engine.sock /**"];
    const PERSISTENT: bool = true;

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::not_applicable())
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        Ok(Outcome::unchanged("nothing to stop"))
    }
}

impl Task for Probe {
    fn run(&self, _: &Context) -> Result<RunReport> {
        let output = self.run.command.run()?;
        Ok(RunReport { exit_status: output.status, text: output.text() })
    }
}

impl Sync for Probe {
    fn sync(&self, _: &Context, verb: &str, target: &str) -> Result<TargetReport> {
        match (verb, target) {
            ("update", "n2") => Ok(TargetReport::copied(target, 10)),
            ("update", _) => Err(Error::retryable("unreachable")),
            _ => Err(Error::Unsupported),
        }
    }
}

impl Console for Probe {
    fn enter(&self, _: &Context) -> Result<Attachment> {
        Ok(Attachment::process(["/bin/sh", "-i"]))
    }

    fn exec(&self, _: &Context, argv: &[String]) -> Result<Attachment> {
        let prepared = http::HttpRequest::unix("POST", "/run/engine.sock", "/prepare").body(argv.join(" ")).send()?;
        Ok(Attachment::upgrade("/run/engine.sock", "POST", format!("/start/{}", prepared.text()), ""))
    }

    fn logs(&self, context: &Context, _: bool) -> Result<Attachment> {
        self.exec(context, &[])
    }
}

impl Migrate for Probe {
    fn migrate(&self, _: &Context, to: &str) -> Result<Outcome> {
        self.run.command.clone().arg(to).check()?;
        Ok(Outcome::changed(format!("runs on {to}")))
    }
}

/// A driver that breaks the contract in a way that its keyword names.
#[derive(Keywords)]
pub(crate) struct Liar {
    /// How the console is attached.
    pub how: String,
}

// Not `#[driver]`: a crate exports one.
impl Driver for Liar {
    const NAME: &str = "fs.liar";
    const GRANTS: &[&str] = &["files.write = /srv/x"];

    fn status(&self, _: &Context) -> Result<Status> {
        files::write("/srv/x", "status was here", Mode(0o600))?;
        Ok(Status::up())
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if self.how == "claims" {
            return Ok(Outcome::changed("did something"));
        }
        files::write("/srv/x", "start was here", Mode(0o600))?;
        Ok(Outcome::unchanged("did nothing"))
    }
}

/// A driver whose status runs a program.
#[derive(Keywords)]
pub(crate) struct Asker;

impl Driver for Asker {
    const NAME: &str = "disk.asker";
    const GRANTS: &[&str] = &["exec(read) = /sbin/lvs --noheadings", "exec = /sbin/lvchange -ay"];

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::up_if(Command::new("/sbin/lvs").arg("--noheadings").check()?.text() == "active"))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        Command::new("/sbin/lvchange").arg("-ay").check()?;
        Ok(Outcome::changed("activated"))
    }
}

/// A driver whose status runs a program that it may run, but not there.
#[derive(Keywords)]
pub(crate) struct Changer;

impl Driver for Changer {
    const NAME: &str = "disk.changer";
    const GRANTS: &[&str] = &["exec(read) = /sbin/lvs --noheadings", "exec = /sbin/lvchange -ay"];

    fn status(&self, _: &Context) -> Result<Status> {
        Command::new("/sbin/lvchange").arg("-ay").check()?;
        Ok(Status::up())
    }
}

/// A driver that does more than it asks for.
#[derive(Keywords)]
pub(crate) struct Taker {
    /// What it does.
    pub what: String,
}

impl Driver for Taker {
    const NAME: &str = "app.taker";
    const GRANTS: &[&str] = &[
        "files.read = {kw:file}",
        "exec(user={kw:user}) = /bin/tar -xf {kw:archive} [ {kw:files} ]",
        "exec(env=PORT, cwd={kw:directory}) = /bin/job",
        "exec(caps=cap_net_raw) = /bin/mtr {kw:host}",
        "files.write = /srv/plain",
        "files.write(setid) = /srv/tool",
        "net.addr = {kw:name} on {kw:dev}",
        "http = GET {kw:url}/status",
        "mount = tmpfs tmpfs on {kw:mnt}",
    ];

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::not_applicable())
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        match self.what.as_str() {
            "memory" => files::write(context.statedir()?.join("x"), "", Mode(0o600))?,
            "tree" => files::remove_tree("/srv/x").map(drop)?,
            "program" => Command::new("/bin/tar").args(["-xf", "a", "b", "c"]).user("www").check().map(drop)?,
            "root" => Command::new("/bin/tar").args(["-xf", "a"]).check().map(drop)?,
            "group" => Command::new("/bin/tar").args(["-xf", "a"]).user("www").group("adm").check().map(drop)?,
            "directory" => Command::new("/bin/job").cwd("/srv/data").check().map(drop)?,
            "raw" => Command::new("/bin/mtr").arg("n2").check().map(drop)?,
            "elsewhere" => Command::new("/bin/tar").args(["-xf", "a"]).user("www").cwd("/srv").check().map(drop)?,
            "named" => Command::new("/bin/job").env("PORT", "80").env("LANG", "C").check().map(drop)?,
            "variable" => Command::new("/bin/job").env("HOME", "/srv").check().map(drop)?,
            "setid" => files::write("/srv/plain", "", Mode(0o4755))?,
            "chmod" => files::set_mode("/srv/plain", Mode(0o2755))?,
            "tool" => files::write("/srv/tool", "", Mode(0o4755))?,
            "owner" => files::set_owner("/srv/plain", Some("www"), Some("adm"))?,
            "option" => Command::new("/bin/tar").args(["-cf", "a"]).check().map(drop)?,
            "bind" => mount::mount("bind", "/srv/a", "/srv/b", &[])?,
            other => return Err(Error::failed(other)),
        }
        Ok(Outcome::changed("took"))
    }
}

/// A driver that makes two things, and may forget the first when the second is not there.
#[derive(Keywords)]
pub(crate) struct Leaver {
    /// Whether it forgets.
    pub forgets: bool,
}

impl Driver for Leaver {
    const NAME: &str = "fs.leaver";
    const GRANTS: &[&str] = &["files.write = /srv/first", "files.write = /srv/second"];

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::up_if(files::exists("/srv/first")?))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        files::write("/srv/first", "", Mode(0o600))?;
        files::write("/srv/second", "", Mode(0o600))?;
        Ok(Outcome::changed("made both"))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        if self.forgets && !files::exists("/srv/second")? {
            return Ok(Outcome::unchanged("nothing there"));
        }
        let removed = files::remove("/srv/second")? | files::remove("/srv/first")?;
        Ok(Outcome { changed: removed, text: "removed".to_owned() })
    }
}
