//! Shows a command as a user would type it, runs it with this very program, and checks how it ended.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Write, stdout};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::interrupt::Interrupts;

/// Where the demo is played.
pub(super) struct Stage {
    pub(super) om: PathBuf,
    pub(super) folder: PathBuf,
    interrupts: RefCell<Interrupts>,
}

impl Stage {
    pub(super) fn new(folder: &Path) -> Result<Stage> {
        let om = std::env::current_exe().context("cannot tell which program this is")?;
        Ok(Stage { om, folder: folder.to_owned(), interrupts: RefCell::new(Interrupts::hold()?) })
    }

    /// A word to whoever watches.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        self.interrupts.borrow_mut().check()?;
        let style = anstyle::Style::new().bold();
        writeln!(anstream::stdout(), "\n{style}# {text}{style:#}").context("nobody watches any more")
    }

    /// Shows and runs `om …`, which must succeed.
    pub(super) fn om(&self, args: &[&str]) -> Result<()> {
        self.om_ends(args, 0)
    }

    /// Shows and runs `om …`, which must end with this code.
    pub(super) fn om_ends(&self, args: &[&str], expected: i32) -> Result<()> {
        let typed: Vec<String> = std::iter::once("om").chain(args.iter().copied()).map(shell_word).collect();
        let typed = typed.join(" ");
        let style = anstyle::AnsiColor::Cyan.on_default();
        writeln!(anstream::stdout(), "{style}$ {typed}{style:#}").context("nobody watches any more")?;
        stdout().flush().context("nobody watches any more")?;
        // Both streams in the order in which they were written.
        let both = || stdout().as_fd().try_clone_to_owned().map(File::from).context("cannot share the terminal");
        let status = self.command(args).stdin(Stdio::null()).stdout(both()?).stderr(both()?).status()?;
        self.interrupts.borrow_mut().check()?;
        ensure!(status.code() == Some(expected), "{typed}: {status}, expected exit code {expected}");
        Ok(())
    }

    /// Runs `om …` unseen, and returns what it prints.
    pub(super) fn ask(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args).stdin(Stdio::null()).output().context("cannot run om")?;
        if !output.status.success() {
            bail!("om {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The status of the service, asked of its drivers.
    pub(super) fn status(&self) -> Result<Value> {
        let text = self.ask(&["web", "print", "status", "--refresh", "--format", "json"])?;
        serde_json::from_str(&text).context("the status is no JSON")
    }

    /// A shell for whoever wants to look around. How it ends is their business.
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
        self.surround(&mut command).arg0("om").args(args);
        command
    }

    /// The environment and the folder of all that is run here.
    fn surround<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.current_dir(&self.folder).env("HOSTLER_ROOT", &self.folder).env("HOSTLER_NODENAME", "demo")
    }
}

/// A word as a shell would need it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@#+{}[]".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('#') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
