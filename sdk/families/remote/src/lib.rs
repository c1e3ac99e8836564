//! Commands on other nodes over ssh, for the drivers that copy data.
//!
//! A driver reaches the peers of its object by their names, with the node's ssh(1). The site configures in `ssh_config(5)`
//! which key, port, address and user to use, and which host keys to trust. A grant contains the whole command line, so that
//! no keyword can become an option of ssh or a word of the shell on the other node.

use hostler_sdk::process::Output;
use hostler_sdk::{Command, Error, Result};

/// The command line of ssh before the node, for grants. This ssh never prompts, forwards nothing, and gives up on a node that
/// is down.
#[macro_export]
macro_rules! ssh {
    () => {
        "/usr/bin/ssh -T -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 \
         -o ForwardAgent=no -o ForwardX11=no -o PermitLocalCommand=no -o ClearAllForwardings=yes"
    };
}

/// The same command line, for the option of a program that runs ssh itself.
pub const SSH: &str = ssh!();

/// The exit status of ssh if it could not reach the node, or the node refused it.
pub const UNREACHED: i32 = 255;

/// A command on another node. `words` must be those of the grant. Values from the configuration go to the standard input of
/// the command, where no shell interprets them.
pub fn command(node: &str, words: &str) -> Command {
    let mut ssh = SSH.split(' ');
    Command::new(ssh.next().unwrap_or_default()).args(ssh).arg("--").arg(node).arg(words)
}

/// The grant for [`is_mounted`].
#[macro_export]
macro_rules! grant_is_mounted {
    () => {
        concat!("exec(read) = ", $crate::ssh!(), " -- {peer} \"/usr/bin/xargs -0 /usr/bin/mountpoint -q --\"")
    };
}

/// Whether a file system is mounted on `path` at another node. Needs [`grant_is_mounted!`](crate::grant_is_mounted).
pub fn is_mounted(node: &str, path: &str) -> Result<bool> {
    /// The exit status of xargs(1) if the command failed.
    const SOME_FAILED: i32 = 123;
    // NUL-separated, so that no character of the path can end the argument.
    let output = command(node, "/usr/bin/xargs -0 /usr/bin/mountpoint -q --").stdin(format!("{path}\0")).run()?;
    match output.status {
        0 => Ok(true),
        SOME_FAILED => Ok(false),
        _ => Err(failure("mountpoint", &output)),
    }
}

/// The error of a command that works with another node, in one line.
pub fn failure(program: &str, output: &Output) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    // Warnings of ssh, such as an added host key, are not the reason of the failure.
    let mut said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Warning: "));
    let first = said.next().unwrap_or("it said nothing");
    // A program that runs ssh may report a broken pipe before it learns the exit status of ssh, so look at the text too.
    match output.status == UNREACHED || REFUSALS.iter().any(|text| first.contains(text)) {
        true => Error::retryable(format!("cannot be reached: {first}")),
        false => Error::failed(format!("{program} exited with {}: {first}", output.status)),
    }
}

/// The texts with which ssh reports that it could not reach the node, or that the node refused it.
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
        check(23, gone, "rsync exited with 23: rsync: change_dir \"/srv/x\" failed: No such file or directory (2)");
        check(1, "", "rsync exited with 1: it said nothing");
    }
}
