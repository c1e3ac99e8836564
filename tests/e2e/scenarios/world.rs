//! A separate world for each scenario: a directory that contains the agent's files and everything that its services make.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::leaks;
use crate::ran::Ran;

pub(crate) const OM: &str = env!("CARGO_BIN_EXE_om");

/// The limit for every wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// An application whose commands leave a mark each: `+a` for a start, `-a` for a stop.
const MARKING: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 9
case $1 in
    start) test ! -e broken.$2 || exit 1; echo "+$2" >>marks; : >up.$2 ;;
    stop) echo "-$2" >>marks; rm -f up.$2 ;;
    check) test -e up.$2 ;;
    mark) echo "$2" >>marks; test ! -e "broken.$2" ;;
    slow) echo "~$2" >>marks; exec sleep 600 ;;
esac
"#;

pub(crate) struct World {
    directory: TempDir,
    number: u8,
}

impl World {
    pub(crate) fn new() -> World {
        static WORLDS: AtomicU8 = AtomicU8::new(1);
        let directory = tempfile::Builder::new().prefix("hostler-e2e-").tempdir().unwrap();
        let world = World { directory, number: WORLDS.fetch_add(1, Ordering::Relaxed) };
        world.write("act", MARKING);
        fs::set_permissions(world.path("act"), fs::Permissions::from_mode(0o755)).unwrap();
        world
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// A number that no other world has, for names and addresses.
    pub(crate) fn number(&self) -> u8 {
        self.number
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The command `om` for this world. The compiled drivers are shared by all worlds.
    pub(crate) fn command(&self) -> Command {
        self.command_of(Path::new(OM))
    }

    /// The same with `om` at another path.
    pub(crate) fn command_of(&self, om: &Path) -> Command {
        let mut command = Command::new(om);
        command
            .env("HOSTLER_ROOT", self.path("root"))
            .env("HOSTLER_NODENAME", "n1")
            .env("HOSTLER_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
            .env("LC_ALL", "C.UTF-8")
            .env_remove("HOSTLER_FAILPOINT")
            .current_dir(self.directory())
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of words, none of which contains a space.
    pub(crate) fn om(&self, line: &str) -> Ran {
        self.om_with(line, &[])
    }

    pub(crate) fn om_with(&self, line: &str, env: &[(&str, &str)]) -> Ran {
        let output = self.command().args(line.split_whitespace()).envs(env.iter().copied()).output().unwrap();
        Ran::new(&format!("om {line}"), output)
    }

    /// The same, called by another program: `unshare --net om …`.
    pub(crate) fn om_through(&self, program: &str, words: &[&str], line: &str) -> Ran {
        let mut command = Command::new(program);
        for (name, value) in self.command().get_envs() {
            value.map(|value| command.env(name, value));
        }
        let output = command.args(words).arg(OM).args(line.split_whitespace()).current_dir(self.directory()).output();
        Ran::new(&format!("{program} {} om {line}", words.join(" ")), output.unwrap())
    }

    /// Starts it and does not wait.
    pub(crate) fn spawn(&self, line: &str) -> Child {
        let mut command = self.command();
        command.args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Makes an object. `{w}` in its configuration is this world's directory.
    pub(crate) fn create(&self, name: &str, config: &str) {
        let file = self.write(&format!("{name}.conf"), &self.fill(config));
        self.om(&format!("{name} create --config {}", file.display())).ok();
    }

    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{w}", &self.directory().display().to_string()).replace("{om}", OM)
    }

    /// The section of an application that leaves marks.
    pub(crate) fn app(&self, id: &str, more: &str) -> String {
        let text = "[app#{id}]\ntype = forking\nstart = {w}/act start {id}\nstop = {w}/act stop {id}\n\
                    check = {w}/act check {id}\n{more}\n";
        self.fill(&text.replace("{id}", id).replace("{more}", more))
    }

    /// The marks so far, in a line.
    pub(crate) fn marks(&self) -> String {
        self.read("marks").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The marks so far, which are then forgotten.
    pub(crate) fn take_marks(&self) -> String {
        let marks = self.marks();
        let _ = fs::remove_file(self.path("marks"));
        marks
    }

    pub(crate) fn status(&self, object: &str) -> Value {
        let ran = self.om(&format!("{object} print status --format json --refresh")).ok();
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        match value {
            Value::Array(mut all) => all.remove(0),
            one => one,
        }
    }

    /// `fs#1 up, app#1 down`.
    pub(crate) fn states(&self, object: &str) -> String {
        let status = self.status(object);
        let resources: BTreeMap<&String, &Value> = status["resources"].as_object().unwrap().iter().collect();
        let one =
            |(rid, resource): (&&String, &&Value)| format!("{rid} {}", resource["status"].as_str().unwrap_or("?"));
        resources.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[track_caller]
    pub(crate) fn is(&self, object: &str, avail: &str) {
        let status = self.status(object);
        assert_eq!(status["avail"], avail, "{status:#}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // There is something to clean up only after a failure.
        leaks::clean_up(self);
    }
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "waited for this in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
