//! Shows a command as a user would type it, runs it with this very program, and checks its exit code.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Write, stdout};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::interrupt::HeldSignals;

/// The program and the directory of the demo.
pub(super) struct DemoStage {
    pub(super) om: PathBuf,
    pub(super) directory: PathBuf,
    interrupts: RefCell<HeldSignals>,
}

impl DemoStage {
    pub(super) fn new(directory: &Path) -> Result<DemoStage> {
        let om = std::env::current_exe().context("cannot find the path of this program")?;
        Ok(DemoStage { om, directory: directory.to_owned(), interrupts: RefCell::new(HeldSignals::hold()?) })
    }

    /// An error if the user wants the demo to end.
    pub(super) fn check_interrupt(&self) -> Result<()> {
        self.interrupts.borrow_mut().check()
    }

    /// Prints a comment on what follows.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        self.check_interrupt()?;
        let style = anstyle::Style::new().bold();
        writeln!(anstream::stdout(), "\n{style}# {text}{style:#}").context("the output can no longer be written")
    }

    /// Shows and runs `om …`, which must succeed.
    pub(super) fn om(&self, args: &[&str]) -> Result<()> {
        self.om_exits(args, 0)
    }

    /// Shows and runs `om …`, which must exit with this code.
    pub(super) fn om_exits(&self, args: &[&str], expected: i32) -> Result<()> {
        let typed: Vec<String> = std::iter::once("om").chain(args.iter().copied()).map(shell_word).collect();
        let typed = typed.join(" ");
        self.type_out(&typed)?;
        // Both streams go to one file, so that their lines stay in the order in which they were written.
        let both = || stdout().as_fd().try_clone_to_owned().map(File::from).context("cannot share the terminal");
        // Without standard input, no command can stop the show with a question.
        let status = self.command(args).stdin(Stdio::null()).stdout(both()?).stderr(both()?).status()?;
        self.check_interrupt()?;
        ensure!(status.code() == Some(expected), "{typed}: {status}, expected exit code {expected}");
        Ok(())
    }

    /// Shows a command, which the caller then runs.
    pub(super) fn type_out(&self, typed: &str) -> Result<()> {
        let style = anstyle::AnsiColor::Cyan.on_default();
        writeln!(anstream::stdout(), "{style}$ {typed}{style:#}").context("the output can no longer be written")?;
        stdout().flush().context("the output can no longer be written")
    }

    /// Runs `om …` without showing it, and returns its output.
    pub(super) fn ask(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args).stdin(Stdio::null()).output().context("cannot run om")?;
        if !output.status.success() {
            bail!("om {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The status of the service, as its drivers report it now.
    pub(super) fn status(&self) -> Result<Value> {
        let text = self.ask(&["web", "print", "status", "--refresh", "--format", "json"])?;
        serde_json::from_str(&text).context("the status is not JSON")
    }

    /// Opens a shell to look around in. Its exit code does not matter.
    pub(super) fn shell(&self) -> Result<()> {
        let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
        let here = self.om.parent().map(Path::to_owned).into_iter();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(here.chain(std::env::split_paths(&path))).context("cannot extend PATH")?;
        let mut command = Command::new(shell);
        self.surround(&mut command).env("PATH", path).status().context("cannot open a shell")?;
        Ok(())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.om);
        // The file of this program may have another name, and argv[0] decides how a line is read.
        self.surround(&mut command).arg0("om").args(args);
        command
    }

    /// Sets the environment and the directory of a command.
    fn surround<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.current_dir(&self.directory).env("HOSTLER_ROOT", &self.directory).env("HOSTLER_NODENAME", "demo")
    }
}

/// A word as a shell would need it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@#+{}[]".contains(c);
    // A word that begins with `#` would be a comment to the shell.
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('#') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
