//! The file systems that the kernel knows, or could load.

use std::path::Path;

use crate::KernelError;
use crate::files::io_error;

/// Whether and how the kernel supports a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilesystemSupport {
    /// It needs a block device.
    OnDevice,
    /// It needs no device.
    Deviceless,
    /// A module that is not loaded yet supports it.
    Loadable,
    /// Neither the kernel nor a module supports it.
    Unknown,
}

pub(crate) fn support(fstype: &str) -> Result<FilesystemSupport, KernelError> {
    let known = read("/proc/filesystems")?;
    Ok(match registered(&known, fstype) {
        Some(support) => support,
        None if loadable(fstype) => FilesystemSupport::Loadable,
        None => FilesystemSupport::Unknown,
    })
}

fn registered(known: &str, fstype: &str) -> Option<FilesystemSupport> {
    known.lines().find_map(|line| match line.split_once('\t') {
        Some(("nodev", name)) if name == fstype => Some(FilesystemSupport::Deviceless),
        Some((_, name)) if name == fstype => Some(FilesystemSupport::OnDevice),
        _ => None,
    })
}

/// Whether a module has the alias `fs-<type>`, by which the kernel loads it at the first mount.
fn loadable(fstype: &str) -> bool {
    let release = rustix::system::uname();
    let Ok(release) = release.release().to_str() else { return false };
    let aliases = read(Path::new("/lib/modules").join(release).join("modules.alias")).unwrap_or_default();
    has_alias(&aliases, fstype)
}

fn has_alias(aliases: &str, fstype: &str) -> bool {
    let wanted = format!("fs-{fstype}");
    aliases.lines().any(|line| line.split(' ').nth(1) == Some(wanted.as_str()))
}

fn read(path: impl AsRef<Path>) -> Result<String, KernelError> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|source| io_error(format!("read {}", path.display()), &source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_types_say_whether_they_need_a_device() {
        let known = "nodev\tsysfs\nnodev\ttmpfs\n\text3\n\text4\n";
        assert_eq!(registered(known, "tmpfs"), Some(FilesystemSupport::Deviceless));
        assert_eq!(registered(known, "ext4"), Some(FilesystemSupport::OnDevice));
        assert_eq!(registered(known, "ext"), None);
        assert_eq!(registered(known, ""), None);
    }

    #[test]
    fn a_module_counts_by_its_alias() {
        let aliases = "# Aliases\nalias fs-xfs xfs\nalias fs-nfs4 nfsv4\n";
        assert!(has_alias(aliases, "xfs") && has_alias(aliases, "nfs4"));
        assert!(!has_alias(aliases, "nfs") && !has_alias(aliases, ""));
    }

    #[test]
    fn this_kernel_knows_proc_and_not_nonsense() {
        assert_eq!(support("proc").unwrap(), FilesystemSupport::Deviceless);
        assert_eq!(support("no-such-fs").unwrap(), FilesystemSupport::Unknown);
    }
}
