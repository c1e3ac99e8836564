//! Other nodes, over ssh: what the drivers that copy have in common.
//!
//! A driver reaches the other nodes of its object by their names, as the node's own ssh(1) does: the site says in
//! `ssh_config(5)` which key, port, address and user belong to them, and which host keys are trusted. A grant holds the whole
//! command line, so that no keyword becomes an option of ssh or a word of the shell at the other end.

use hostler_sdk::process::Output;
use hostler_sdk::{Command, Error, Result};

/// The command line of ssh up to the node, for grants: it asks nobody, forwards nothing, and gives a node up that is down.
#[macro_export]
macro_rules! ssh {
    () => {
        "/usr/bin/ssh -T -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 \
         -o ForwardAgent=no -o ForwardX11=no -o PermitLocalCommand=no -o ClearAllForwardings=yes"
    };
}

/// The same, for the option of a program that runs ssh itself.
pub const SSH: &str = ssh!();

/// What ssh ends with when it could not reach the node or was refused there.
pub const UNREACHED: i32 = 255;

/// A command on another node. `words` are the words that the grant holds; what belongs to the configuration goes to the
/// standard input of the command, where no shell reads it.
pub fn command(node: &str, words: &str) -> Command {
    let mut ssh = SSH.split(' ');
    Command::new(ssh.next().unwrap_or_default()).args(ssh).arg("--").arg(node).arg(words)
}

/// The line that allows to ask another node whether a file system is mounted, for `GRANTS`.
#[macro_export]
macro_rules! grant_is_mounted {
    () => {
        concat!("exec(read) = ", $crate::ssh!(), " -- {peer} \"/usr/bin/xargs -0 /usr/bin/mountpoint -q --\"")
    };
}

/// Whether a file system is mounted on `path` at another node. Needs [`grant_is_mounted!`](crate::grant_is_mounted).
pub fn is_mounted(node: &str, path: &str) -> Result<bool> {
    /// What xargs ends with when the command ended with something else than 0.
    const SOME_FAILED: i32 = 123;
    let output = command(node, "/usr/bin/xargs -0 /usr/bin/mountpoint -q --").stdin(format!("{path}\0")).run()?;
    match output.status {
        0 => Ok(true),
        SOME_FAILED => Ok(false),
        _ => Err(failure("mountpoint", &output)),
    }
}

/// Why a command that works with another node failed, in one line.
pub fn failure(program: &str, output: &Output) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Warning: "));
    let first = said.next().unwrap_or("it said nothing");
    // A program that runs ssh may find its pipe broken before it learns how ssh ended.
    match output.status == UNREACHED || REFUSALS.iter().any(|text| first.contains(text)) {
        true => Error::retryable(format!("cannot be reached: {first}")),
        false => Error::failed(format!("{program} ended with {}: {first}", output.status)),
    }
}

/// What ssh says when it could not reach the node or was refused there.
const REFUSALS: [&str; 3] = ["ssh: ", "Host key verification failed", "Permission denied (publickey"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let check = |status, stderr: &str, expected: &str| {
            let stderr = stderr.as_bytes().to_vec();
            let output = Output { status, stdout: Vec::new(), stderr, truncated: false };
            assert_eq!(failure("rsync", &output).to_string(), expected);
        };
        let down = "ssh: connect to host n2 port 22: Connection refused\nrsync: connection unexpectedly closed\n";
        for status in [255, 12] {
            check(status, down, "cannot be reached: ssh: connect to host n2 port 22: Connection refused");
        }
        check(12, "Host key verification failed.\n", "cannot be reached: Host key verification failed.");
        let gone = "rsync: change_dir \"/srv/x\" failed: No such file or directory (2)\nrsync error: some files\n";
        check(23, gone, "rsync ended with 23: rsync: change_dir \"/srv/x\" failed: No such file or directory (2)");
        check(1, "", "rsync ended with 1: it said nothing");
    }
}
