//! Processes that are recognised by variables in their environment, for machines without control groups.
//!
//! This is weaker: a child that drops its environment is missed. Only processes of the agent's own user count, because
//! any user can start a process with any environment, and could so make a service appear to be up, or have a process
//! killed.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Pid, geteuid, getpid};

use crate::KernelError;

/// The variables that a process must carry, as `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessMarkers(Vec<Vec<u8>>);

impl ProcessMarkers {
    /// Markers for processes that carry all of these variables, with these values.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> ProcessMarkers {
        ProcessMarkers(variables.into_iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect())
    }

    /// The processes that carry all markers, except the agent itself.
    pub(super) fn members(&self) -> Result<Vec<Pid>, KernelError> {
        let entries = fs::read_dir("/proc").map_err(|error| KernelError::Os {
            doing: "list /proc".to_owned(),
            errno: rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO),
        })?;
        let pids = entries.flatten().filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        Ok(pids.filter(|&pid| pid != getpid() && self.mark(pid)).collect())
    }

    /// Whether the process carries all markers. One that is gone, or that may not be read, does not.
    fn mark(&self, pid: Pid) -> bool {
        let directory = format!("/proc/{}", pid.as_raw_nonzero());
        let is_ours = fs::metadata(&directory).is_ok_and(|entry| entry.uid() == geteuid().as_raw());
        is_ours && fs::read(format!("{directory}/environ")).is_ok_and(|environ| self.found_in(&environ))
    }

    fn found_in(&self, environ: &[u8]) -> bool {
        let mut variables = self.0.iter();
        !self.0.is_empty() && variables.all(|marker| environ.split(|&byte| byte == 0).any(|entry| entry == marker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_markers_must_be_there_whole() {
        let markers = ProcessMarkers::new([("HOSTLER_ID", "web"), ("HOSTLER_RID", "app#1")]);
        for (environ, expected) in [
            ("A=1\0HOSTLER_RID=app#1\0HOSTLER_ID=web\0", true),
            ("HOSTLER_ID=web\0HOSTLER_RID=app#10\0", false),
            ("HOSTLER_ID=web\0", false),
            ("X_HOSTLER_ID=web\0HOSTLER_RID=app#1\0", false),
            ("", false),
        ] {
            assert_eq!(markers.found_in(environ.as_bytes()), expected, "{environ:?}");
        }
        assert!(!ProcessMarkers::new([]).found_in(b"A=1\0"));
    }
}
