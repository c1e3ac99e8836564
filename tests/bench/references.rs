//! The references for all other figures: the machine's own price of a process, of a monitor script, of a shell that does
//! the same.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use kernel::process::{CapabilityBounds, CheckedProgram, ProgramLaunch};

use crate::measure::{Sample, command, timed};
use crate::node::{MANY, Node};
use crate::table::{Table, Target};

/// The references.
pub(crate) struct References {
    /// Spawning a program that does nothing.
    pub(crate) spawn: Sample,
    /// `om --version`: the program starts, and does nothing.
    pub(crate) version: Sample,
    /// The smallest monitor script that is worth the name, run as an agent must: in a process group of its own, with its
    /// output read, and its exit awaited while others go on.
    pub(crate) monitor: Sample,
    /// A shell that makes as many files as there are flags.
    pub(crate) shell_start: Sample,
}

/// The time limit of a script.
const PATIENCE: Duration = Duration::from_secs(10);

/// As OCF agents are written, without the library of shell functions that most of them read first.
const MONITOR: &str = "#!/bin/sh
case \"$1\" in
monitor) test -e \"$FLAG\" && exit 0; exit 7 ;;
*) exit 3 ;;
esac
";

pub(crate) fn measure(node: &Node, table: &mut Table) -> Result<References> {
    let script = node.directory().join("monitor");
    let flag = node.directory().join("flag");
    fs::write(&script, MONITOR)?;
    fs::write(&flag, "")?;
    let monitor = || {
        let mut command = Command::new("/bin/sh");
        command.arg(&script).arg("monitor").env("FLAG", &flag);
        command
    };
    let references = References {
        spawn: command(200, || Command::new("/bin/true"))?,
        version: command(200, || node.om(&["--version"]))?,
        monitor: supervised(&script, &flag)?,
        shell_start: command(5, || shell_start(&node.directory().join("flags")))?,
    };
    let start = format!("a shell that makes {MANY} files, each synced by sync(1)");
    table.add("/bin/true", references.spawn.clone(), &[], Target::None);
    let against = [("/bin/true", &references.spawn)];
    table.add("`om --version`", references.version.clone(), &against, Target::None);
    table.add("a monitor script in /bin/sh, its output unread", command(200, monitor)?, &[], Target::None);
    table.add("the same, run as an agent must", references.monitor.clone(), &[], Target::None);
    table.add(&start, references.shell_start.clone(), &[], Target::None);
    Ok(references)
}

/// The script, by the same way that programs of drivers take.
fn supervised(script: &Path, flag: &Path) -> Result<Sample> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let launch = || -> Result<ProgramLaunch> {
        Ok(ProgramLaunch {
            program: CheckedProgram::open(Path::new("/bin/sh"), None)?,
            args: vec![script.display().to_string(), "monitor".to_owned()],
            env: vec![("FLAG".to_owned(), flag.into())],
            cwd: "/".into(),
            account: None,
            umask: 0o022,
            limits: Vec::new(),
            bounds: CapabilityBounds::Unbounded,
            cgroup: None,
            files: None,
        })
    };
    let run = || {
        let mut on_line = |_: &str| {};
        let output = runtime.block_on(kernel::process::run(launch()?, &[], PATIENCE, &mut on_line))?;
        ensure!(output.status == 0, "the monitor script ended with {}", output.status);
        Ok(())
    };
    Ok(Sample::new(timed(200, run)?, None))
}

/// Makes a file a step, durably.
fn shell_start(directory: &Path) -> Command {
    let script = format!(
        "mkdir -p \"$0\"; i=0; while [ $i -lt {MANY} ]; do i=$((i + 1)); : > \"$0/$i\"; sync \"$0/$i\"; done; rm -r \"$0\""
    );
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(directory);
    command
}
