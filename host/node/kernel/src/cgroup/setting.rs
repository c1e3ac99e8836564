//! Limits of control groups: written to the files of a controller, in whichever version of control groups the node has it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::hierarchy::{is_new, is_old, old_twin};
use super::{Cgroup, root};

/// A text for a file of a group. Of several names of the file, the first one that this kernel has is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFile {
    pub names: &'static [&'static str],
    pub text: String,
}

/// A limit, as each version of control groups takes it. A version that has no file cannot do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupSetting {
    /// The controller in version 1, and in version 2.
    pub controllers: [&'static str; 2],
    pub version1: Vec<SettingFile>,
    pub version2: Vec<SettingFile>,
}

/// Why a limit is not in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No hierarchy has the controller.
    #[error("this node has no {0} controller")]
    NoController(&'static str),
    /// Control groups of this version cannot do it.
    #[error("control groups of version {0} cannot do it")]
    NotInVersion(u8),
    /// The kernel was built without it, or the group does not have the controller.
    #[error("this kernel has no {0}")]
    NoFile(&'static str),
    /// The kernel refused the value, or the directory of the group.
    #[error("the kernel refuses {}: {}", .path.display(), .errno)]
    Refused {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        errno: Errno,
    },
}

/// The version that has the controller of a limit.
enum ControllerVersion {
    One,
    Two,
}

impl CgroupSetting {
    /// Whether this node can do it at all.
    pub fn is_possible(&self) -> Result<(), SettingError> {
        let (version, files) = match self.version()? {
            ControllerVersion::One => (1, &self.version1),
            ControllerVersion::Two => (2, &self.version2),
        };
        if files.is_empty() { Err(SettingError::NotInVersion(version)) } else { Ok(()) }
    }

    fn version(&self) -> Result<ControllerVersion, SettingError> {
        let [old, new] = self.controllers;
        if is_new(new) {
            Ok(ControllerVersion::Two)
        } else if is_old(old) {
            Ok(ControllerVersion::One)
        } else {
            Err(SettingError::NoController(old))
        }
    }
}

/// A group, and its limits.
pub struct LimitedGroup {
    pub path: PathBuf,
    pub settings: Vec<CgroupSetting>,
}

/// A limit that is not in force.
#[derive(Debug)]
pub struct UnmetSetting {
    /// The places of the group and of the limit in what was asked for.
    pub group: usize,
    pub setting: usize,
    pub error: SettingError,
}

impl Cgroup {
    /// Sets limits of the slices around this group, from the outside in, and of itself, and makes what is missing. Returns what is not in
    /// force.
    ///
    /// A process that enters the group afterwards is held to them, whichever version has the controllers.
    pub fn limit(&self, groups: &[LimitedGroup]) -> Vec<UnmetSetting> {
        let mut unmet = Vec::new();
        for (group, LimitedGroup { path, settings }) in groups.iter().enumerate() {
            for (setting, wanted) in settings.iter().enumerate() {
                if let Err(error) = set(path, wanted) {
                    unmet.push(UnmetSetting { group, setting, error });
                }
            }
        }
        // Last: a group of version 1 gets its processors from the slices around it.
        let all = groups.iter().flat_map(|group| &group.settings);
        for controller in all.map(|setting| setting.controllers[0]) {
            if let Some((own, top)) = old_twin(&self.path, controller)
                && make(&own).is_ok()
            {
                inherit_processors(&own, top);
            }
        }
        unmet
    }
}

fn set(group: &Path, setting: &CgroupSetting) -> Result<(), SettingError> {
    setting.is_possible()?;
    let (directory, files) = match setting.version()? {
        ControllerVersion::Two => {
            make(group)?;
            delegate(group, setting.controllers[1]);
            (group.to_owned(), &setting.version2)
        }
        ControllerVersion::One => {
            let missing = || SettingError::NoController(setting.controllers[0]);
            let (twin, top) = old_twin(group, setting.controllers[0]).ok_or_else(missing)?;
            make(&twin)?;
            inherit_processors(&twin, top);
            (twin, &setting.version1)
        }
    };
    // A later file may be what matters most: all are written, and the first failure is told.
    files.iter().map(|file| write_setting(&directory, file)).fold(Ok(()), Result::and)
}

fn make(group: &Path) -> Result<(), SettingError> {
    for _ in 0..super::ATTEMPTS {
        match fs::create_dir_all(group) {
            // A slice above was removed meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            made => return made.map_err(|error| refused(group, &error)),
        }
    }
    Err(SettingError::Refused { path: group.to_owned(), errno: Errno::NOENT })
}

/// Gives a controller to the groups of version 2 from the top down to this one.
fn delegate(group: &Path, controller: &str) {
    let Some(top) = root() else { return };
    let above = group.ancestors().skip(1).take_while(|above| above.starts_with(&top));
    for above in above.collect::<Vec<_>>().into_iter().rev() {
        // If it is refused, the group has no file of the controller, and that is told.
        let _ = write_text(&above.join("cgroup.subtree_control"), &format!("+{controller}"));
    }
}

/// Gives processors and memory to new groups of a cpuset hierarchy of version 1: without, no process can enter them.
fn inherit_processors(group: &Path, top: &Path) {
    let path: Vec<&Path> = group.ancestors().take_while(|part| *part != top && part.starts_with(top)).collect();
    for part in path.into_iter().rev() {
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let Ok(own) = fs::read_to_string(part.join(file)) else { return };
            let above = part.parent().and_then(|above| fs::read_to_string(above.join(file)).ok());
            if own.trim().is_empty()
                && let Some(above) = above
            {
                let _ = write_text(&part.join(file), above.trim());
            }
        }
    }
}

fn write_setting(directory: &Path, file: &SettingFile) -> Result<(), SettingError> {
    let there = file.names.iter().map(|name| directory.join(name)).find(|path| path.exists());
    let path = there.ok_or(SettingError::NoFile(file.names.first().copied().unwrap_or_default()))?;
    write_text(&path, &file.text).map_err(|error| refused(&path, &error))
}

/// Without O_CREAT, which is an error of another kind in such a file system.
fn write_text(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

fn refused(path: &Path, error: &std::io::Error) -> SettingError {
    SettingError::Refused { path: path.to_owned(), errno: Errno::from_io_error(error).unwrap_or(Errno::IO) }
}
