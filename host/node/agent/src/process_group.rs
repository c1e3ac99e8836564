//! Joining the process group of a resource: `om exec --pg`.

use std::path::{Component, Path, PathBuf};

use model::ObjectPath;

use crate::Agent;
use crate::node::paths;

/// Why the calling process cannot join a process group.
#[derive(Debug, thiserror::Error)]
pub enum ProcessGroupError {
    /// The name leads out of the slice of all services.
    #[error("{0:?} is not a process group: expected its path below the slice of all services")]
    Name(String),
    /// This machine has no control groups that the agent may use.
    #[error("om exec --pg, which needs control groups: not supported here")]
    NoControlGroups,
    /// The kernel refused.
    #[error("cannot join the process group {0}")]
    Join(String, #[source] std::io::Error),
}

impl Agent {
    /// The control group of all services, made if it is missing. None: this node has no control groups that the agent may use.
    pub fn control_group_of_all(&self) -> Option<PathBuf> {
        let slice = paths::control_group(self.home())?;
        std::fs::create_dir_all(&slice).ok()?;
        Some(slice)
    }

    /// The control group of what an object runs.
    pub fn control_group_of(&self, path: &ObjectPath) -> Option<PathBuf> {
        Some(capability::control_group_of_object(&paths::control_group(self.home())?, path))
    }

    /// Moves the calling process into a group, by its path with or without the slice of all services.
    pub fn join_process_group(&self, group: &str) -> Result<(), ProcessGroupError> {
        if !Path::new(group).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(ProcessGroupError::Name(group.to_owned()));
        }
        let slice = paths::control_group(self.home()).ok_or(ProcessGroupError::NoControlGroups)?;
        let inside = Path::new(group).strip_prefix(paths::slice_of(self.home())).unwrap_or(Path::new(group));
        // Writing 0 moves the process that writes, see cgroups(7).
        std::fs::write(slice.join(inside).join("cgroup.procs"), "0")
            .map_err(|source| ProcessGroupError::Join(inside.display().to_string(), source))
    }
}
