//! A node of its own for the measures: objects in a temporary directory, and `om` to act on them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent::{Agent, Directories};
use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::measure;

/// As many resources as the largest service of the reference documents has.
pub(crate) const MANY: usize = 260;

/// As many services.
pub(crate) const SERVICES: usize = 1000;

/// The name of the node.
const NAME: &str = "n1";

/// Where the files of some objects are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// `one` (one flag), `many` ([`MANY`] flags in one parallel subset) and `serial` (as many, one by one). What a reboot
    /// empties is in memory.
    Memory,
    /// The same, all of it on the disk.
    Disk,
    /// [`SERVICES`] services of three resources.
    Services,
    /// As many of one flag.
    Flags,
}

/// A node, with objects in several places.
pub(crate) struct Node {
    /// On the disk that the build is on: /tmp may be no disk at all.
    directory: TempDir,
    /// The `om` of an earlier version, to compare with.
    base: Option<PathBuf>,
    /// In memory, as what a reboot empties is on a real node.
    memory: TempDir,
}

impl Node {
    pub(crate) fn new() -> Result<Node> {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("cannot make a directory")?;
        let memory = Path::new("/dev/shm");
        let memory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?;
        let base = std::env::var_os("HOSTLER_BENCH_BASE").filter(|base| !base.is_empty()).map(PathBuf::from);
        let node = Node { directory, base, memory };
        for durable in ["etc", "var", "log"] {
            fs::create_dir(node.directory().join(durable))?;
            std::os::unix::fs::symlink(node.directory().join(durable), node.root().join(durable))?;
        }
        for root in [Place::Memory, Place::Disk].map(|place| node.root_of(place)) {
            write(&root.join("etc/one.conf"), &flags(1, false))?;
            write(&root.join("etc/many.conf"), &flags(MANY, true))?;
            write(&root.join("etc/serial.conf"), &flags(MANY, false))?;
        }
        for number in 0..SERVICES {
            let file = format!("etc/svc{number}.conf");
            write(&node.root_of(Place::Services).join(&file), &service(number))?;
            write(&node.root_of(Place::Flags).join(&file), &flags(1, false))?;
        }
        for object in ["one", "many", "serial"] {
            measure::succeed(&mut node.om(&[object, "print", "status", "--refresh"]))?;
        }
        measure::succeed(&mut node.om(&["driver", "warm"]))?;
        if let Some(mut warm) = node.base(&["driver", "warm"]) {
            measure::succeed(&mut warm)?;
        }
        Ok(node)
    }

    /// A directory for everything else that is measured.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The root of the first node.
    fn root(&self) -> &Path {
        self.memory.path()
    }

    fn root_of(&self, place: Place) -> PathBuf {
        match place {
            Place::Memory => self.root().to_owned(),
            Place::Disk => self.directory().join("disk"),
            Place::Services => self.directory().join("services"),
            Place::Flags => self.directory().join("flags-of-many"),
        }
    }

    /// The directory of compiled drivers.
    fn cache(&self) -> PathBuf {
        self.directory().join("cache")
    }

    /// A command on the first node.
    pub(crate) fn om(&self, words: &[&str]) -> Command {
        self.om_below(self.root(), words)
    }

    /// A command on the node with many services.
    pub(crate) fn om_services(&self, words: &[&str]) -> Command {
        self.om_at(Place::Services)(words)
    }

    /// The same commands by the earlier version, if there is one to compare with.
    pub(crate) fn base(&self, words: &[&str]) -> Option<Command> {
        self.base.as_ref().map(|om| self.program_below(om, self.root(), words))
    }

    pub(crate) fn base_services(&self, words: &[&str]) -> Option<Command> {
        self.base_at(Place::Services).map(|base| base(words))
    }

    /// Commands on the objects of a place.
    pub(crate) fn om_at(&self, place: Place) -> impl Fn(&[&str]) -> Command {
        move |words| self.om_below(&self.root_of(place), words)
    }

    /// The same commands by the earlier version.
    pub(crate) fn base_at(&self, place: Place) -> Option<impl Fn(&[&str]) -> Command> {
        let base = self.base.as_ref()?;
        Some(move |words: &[&str]| self.program_below(base, &self.root_of(place), words))
    }

    fn om_below(&self, root: &Path, words: &[&str]) -> Command {
        self.program_below(Path::new(env!("CARGO_BIN_EXE_om")), root, words)
    }

    fn program_below(&self, program: &Path, root: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).env("HOSTLER_ROOT", root).env("HOSTLER_NODENAME", NAME).env("HOSTLER_CACHE", self.cache());
        command
    }

    /// The agent of the first node, in this process. Its drivers are compiled already.
    pub(crate) fn agent(&self) -> Result<Agent> {
        let home = Directories { cache: self.cache(), ..Directories::under(self.root()) };
        Ok(Agent::open(home, &NAME.parse()?)?)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().context("no directory")?)?;
    Ok(fs::write(path, text)?)
}

/// A service of so many flags, all in one parallel subset or each for itself.
fn flags(count: usize, parallel: bool) -> String {
    let mut text = String::from("[DEFAULT]\nnodes = n1\n");
    if parallel {
        text.push_str("[subset#fs:all]\nparallel = true\n");
    }
    for number in 1..=count {
        let subset = if parallel { "subset = all\n" } else { "" };
        let _ = write!(text, "[fs#{number}]\ntype = flag\n{subset}");
    }
    text
}

/// A service as there are many: an address, a directory, a program.
fn service(number: usize) -> String {
    let timeout = if number.is_multiple_of(2) { "2m" } else { "30s" };
    format!(
        "[DEFAULT]\nnodes = n1\napp = shop\n[ip#1]\nname = 10.0.{}.{}\ndev = eth0\n[fs#1]\ntype = directory\n\
         path = /srv/{{name}}\n[app#1]\ntype = simple\nstart = /usr/bin/serve --root /srv/{{name}}\ntimeout = {timeout}\n",
        number / 250,
        number % 250 + 1
    )
}
