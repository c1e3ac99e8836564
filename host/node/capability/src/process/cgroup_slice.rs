//! The control group of everything that an agent runs, looked for when it is first needed.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The slice that holds the control groups of an agent's resources.
///
/// To find out whether there may be one, the kernel is asked to make it, which takes longer than most looks at a resource.
/// So that is done when a process is to be started or looked for, and once: the answer holds for as long as the node is up.
#[derive(Debug)]
pub struct CgroupSlice {
    name: String,
    found: OnceLock<Option<PathBuf>>,
}

impl CgroupSlice {
    /// The slice of this name, wherever the control groups of this node are mounted.
    pub fn named(name: String) -> CgroupSlice {
        CgroupSlice { name, found: OnceLock::new() }
    }

    /// The slice in this directory. Without one, there are no control groups.
    pub fn at(directory: Option<PathBuf>) -> CgroupSlice {
        CgroupSlice { name: String::new(), found: OnceLock::from(directory) }
    }

    /// The directory of the slice. None if control groups are not available.
    pub fn directory(&self) -> Option<&Path> {
        self.found.get_or_init(|| kernel::cgroup::available(&self.name)).as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_looked_for_before_it_is_needed() {
        let slice = CgroupSlice::named(format!("hostler-test-unneeded-{}.slice", std::process::id()));
        assert!(slice.found.get().is_none());
        let directory = slice.directory().map(Path::to_owned);
        assert_eq!(slice.found.get(), Some(&directory));
        assert!(directory.is_none_or(|directory| !directory.exists()), "an empty slice was left");
    }
}
