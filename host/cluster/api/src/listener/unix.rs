//! The unix socket of the daemon, and the claim on it.
//!
//! `daemon.pid` is locked for as long as its daemon lives, and holds its process id. Who has the lock may remove a socket that a
//! killed daemon left behind.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::daemon::SOCKET_NAME;
use tokio::net::UnixListener;

/// A daemon that was killed may leave a child behind that has not become another program yet, and holds what its parent held
/// until then. It is waited for so long.
const LEFT_BEHIND: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(20);

/// The socket that the daemon of this run directory listens on.
pub fn socket_path(run: &Path) -> PathBuf {
    run.join(SOCKET_NAME)
}

/// The file that is locked by the daemon of this run directory, and holds its process id.
pub fn pid_file(run: &Path) -> PathBuf {
    run.join("daemon.pid")
}

/// Why a process cannot be the daemon of a run directory.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// There is one already.
    #[error("a daemon runs already: process {0}")]
    Running(String),
    /// The file cannot be used.
    #[error("cannot lock {0}")]
    File(PathBuf, #[source] std::io::Error),
}

/// The right to be the daemon of a run directory, for as long as it is held.
#[derive(Debug)]
pub struct DaemonClaim {
    run: PathBuf,
    // Never read: the kernel drops the lock with it.
    _lock: File,
}

impl DaemonClaim {
    /// Claims a run directory.
    pub fn new(run: &Path) -> Result<DaemonClaim, ClaimError> {
        let path = pid_file(run);
        let failed = |error| ClaimError::File(path.clone(), error);
        make_private(run).map_err(failed)?;
        let mut options = OpenOptions::new();
        // Not truncated: until it is locked, the number in it is the other daemon's.
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let mut file = options.open(&path).map_err(failed)?;
        let until = Instant::now() + LEFT_BEHIND;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {
                    let pid = holder(&mut file);
                    if runs(&pid) || Instant::now() >= until {
                        return Err(ClaimError::Running(pid));
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
        write_pid(&mut file).map_err(failed)?;
        Ok(DaemonClaim { run: run.to_owned(), _lock: file })
    }

    /// Listens on the socket, which only the user of this process may open.
    pub fn listen(self) -> Result<DaemonSocket, ListenError> {
        let path = socket_path(&self.run);
        let failed = |error| ListenError(path.clone(), error);
        // The claim is held: what lies here was left by a daemon that is gone.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // Made under another name, so that no client can connect before its mode is set.
        let fresh = self.run.join("daemon.sock.new");
        let _ = std::fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh).map_err(failed)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(0o600)).map_err(failed)?;
        std::fs::rename(&fresh, &path).map_err(failed)?;
        Ok(DaemonSocket { listener, path, _claim: self })
    }
}

/// Makes the run directory, closed to others from the start: who can read a lock can hold it.
fn make_private(run: &Path) -> std::io::Result<()> {
    if let Some(above) = run.parent() {
        std::fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(0o700).create(run) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Whether a process runs: one that has exited and that nothing has waited for yet is still listed. See proc_pid_stat(5).
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    let state = stat.ok().and_then(|stat| stat.rsplit(')').next()?.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    let _ = file.rewind();
    // A daemon that has the lock and has not written its number yet is only just starting.
    match file.read_to_string(&mut pid).map(|_| pid.trim()) {
        Ok(pid) if !pid.is_empty() => pid.to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Why the daemon cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {0}")]
pub struct ListenError(PathBuf, #[source] std::io::Error);

/// The socket of the daemon. It is removed when this is dropped.
#[derive(Debug)]
pub struct DaemonSocket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    // Dropped last: until the socket is gone, no other daemon may make its own.
    _claim: DaemonClaim,
}

impl Drop for DaemonSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_directory_is_closed_to_others_from_the_start() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("new/run");
        let claim = DaemonClaim::new(&run).unwrap();
        assert_eq!(std::fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o700);
        drop(claim);
        DaemonClaim::new(&run).unwrap();
    }

    #[tokio::test]
    async fn a_second_daemon_learns_the_pid_of_the_first() {
        let run = tempfile::tempdir().unwrap();
        let first = DaemonClaim::new(run.path()).unwrap();
        let refused = DaemonClaim::new(run.path()).unwrap_err().to_string();
        assert_eq!(refused, format!("a daemon runs already: process {}", std::process::id()));
        let socket = first.listen().unwrap();
        assert_eq!(std::fs::metadata(socket_path(run.path())).unwrap().permissions().mode() & 0o777, 0o600);
        drop(socket);
        assert!(!socket_path(run.path()).exists());
        DaemonClaim::new(run.path()).unwrap();
    }

    #[test]
    fn a_process_that_has_exited_does_not_run_although_nothing_has_waited_for_it() {
        let mut exiting = std::process::Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let pid = exiting.id().to_string();
        assert!(runs(&pid));
        exiting.kill().unwrap();
        let until = Instant::now() + LEFT_BEHIND;
        while runs(&pid) && Instant::now() < until {
            std::thread::sleep(RETRY);
        }
        assert!(!runs(&pid) && Path::new("/proc").join(&pid).exists());
        exiting.wait().unwrap();
        assert!(!runs("unknown"));
    }

    #[tokio::test]
    async fn the_socket_of_a_killed_daemon_is_replaced() {
        let run = tempfile::tempdir().unwrap();
        std::mem::forget(UnixListener::bind(socket_path(run.path())).unwrap());
        DaemonClaim::new(run.path()).unwrap().listen().unwrap();
    }
}
