//! The options of mount(8), sorted into those of the mount, those of the file system, and those for neither.

use std::path::Path;

use rustix::mount::MountAttrFlags;

use crate::KernelError;

/// An option, as it was read once: `noatime`, or `size` with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountWord<'a> {
    pub name: &'a str,
    /// What stands behind the `=`.
    pub value: Option<&'a str>,
}

/// The options of one mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountOptions {
    /// Attributes to set on the mount, see mount_setattr(2).
    pub(crate) set: MountAttrFlags,
    /// Attributes to clear, for bind mounts, which inherit those of their source.
    pub(crate) clear: MountAttrFlags,
    /// Parameters of the file system, in their order, see fsconfig(2).
    pub(crate) parameters: Vec<MountParameter>,
    /// Whether it is a bind mount, and with how much of its source.
    pub(crate) bind: Option<BindScope>,
}

/// A parameter of the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MountParameter {
    /// A word alone, such as `discard`.
    Flag(String),
    /// A word with a value, such as `size=64m`.
    Value(String, String),
}

/// How much a bind mount shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindScope {
    /// The file system of the source only.
    Tree,
    /// Also what is mounted below the source.
    Recursive,
}

impl MountOptions {
    /// Sorts options that were read already: nothing here splits a word or takes anything off it.
    pub(crate) fn sort(options: &[MountWord<'_>]) -> Result<MountOptions, KernelError> {
        let mut parsed = MountOptions {
            set: MountAttrFlags::empty(),
            clear: MountAttrFlags::empty(),
            parameters: Vec::new(),
            bind: None,
        };
        options.iter().try_for_each(|option| parsed.add(*option))?;
        Ok(parsed)
    }

    fn add(&mut self, option: MountWord<'_>) -> Result<(), KernelError> {
        let MountWord { name, value } = option;
        if let Some(value) = value {
            if let Some(instead) = refusal(name) {
                return Err(not_supported(name, instead));
            }
            if !is_for_others(name, true) {
                self.parameters.push(MountParameter::Value(name.to_owned(), value.to_owned()));
            }
            return Ok(());
        }
        if let Some((flag, on)) = attribute(name) {
            self.attribute(flag, on);
        }
        match name {
            "bind" => self.bind = Some(BindScope::Tree),
            "rbind" => self.bind = Some(BindScope::Recursive),
            // Given to the file system as well: then the whole file system is read-only, and not only this mount of it.
            "ro" | "sync" | "lazytime" => self.flag(name, true),
            "rw" => self.flag("ro", false),
            "async" => self.flag("sync", false),
            "nolazytime" => self.flag("lazytime", false),
            _ if attribute(name).is_some() || is_for_others(name, false) => {}
            _ => match refusal(name) {
                Some(instead) => return Err(not_supported(name, instead)),
                None => self.parameters.push(MountParameter::Flag(name.to_owned())),
            },
        }
        Ok(())
    }

    /// Sets a flag of the file system, or takes it back.
    fn flag(&mut self, name: &str, on: bool) {
        let flag = MountParameter::Flag(name.to_owned());
        self.parameters.retain(|parameter| *parameter != flag);
        if on {
            self.parameters.push(flag);
        }
    }

    /// The last word wins, as in mount(8). The three modes of access time exclude each other: they are values of one field.
    fn attribute(&mut self, flag: MountAttrFlags, on: bool) {
        const ATIME: MountAttrFlags = MountAttrFlags::MOUNT_ATTR__ATIME;
        if ATIME.contains(flag) {
            // MOUNT_ATTR_RELATIME is 0, so clearing the field comes first and setting may add nothing.
            self.set.remove(ATIME);
            self.clear.insert(ATIME);
        }
        self.set.set(flag, on);
        if !ATIME.contains(flag) {
            self.clear.set(flag, !on);
        }
    }

    /// Whether an option of an overlay names a path, which the kernel would follow by itself.
    pub(crate) fn takes_path(key: &str) -> bool {
        matches!(key, "lowerdir" | "lowerdir+" | "datadir+" | "upperdir" | "workdir")
    }
}

fn not_supported(name: &str, instead: &str) -> KernelError {
    KernelError::Invalid(format!("mount option {name:?} is not supported: {instead}"))
}

fn attribute(option: &str) -> Option<(MountAttrFlags, bool)> {
    Some(match option {
        "ro" => (MountAttrFlags::MOUNT_ATTR_RDONLY, true),
        "rw" => (MountAttrFlags::MOUNT_ATTR_RDONLY, false),
        "nosuid" => (MountAttrFlags::MOUNT_ATTR_NOSUID, true),
        "suid" => (MountAttrFlags::MOUNT_ATTR_NOSUID, false),
        "nodev" => (MountAttrFlags::MOUNT_ATTR_NODEV, true),
        "dev" => (MountAttrFlags::MOUNT_ATTR_NODEV, false),
        "noexec" => (MountAttrFlags::MOUNT_ATTR_NOEXEC, true),
        "exec" => (MountAttrFlags::MOUNT_ATTR_NOEXEC, false),
        "nodiratime" => (MountAttrFlags::MOUNT_ATTR_NODIRATIME, true),
        "diratime" => (MountAttrFlags::MOUNT_ATTR_NODIRATIME, false),
        "nosymfollow" => (MountAttrFlags::MOUNT_ATTR_NOSYMFOLLOW, true),
        "symfollow" => (MountAttrFlags::MOUNT_ATTR_NOSYMFOLLOW, false),
        "noatime" => (MountAttrFlags::MOUNT_ATTR_NOATIME, true),
        "strictatime" => (MountAttrFlags::MOUNT_ATTR_STRICTATIME, true),
        // Relative access times are the kernel's default.
        "atime" | "relatime" | "nostrictatime" | "norelatime" => (MountAttrFlags::MOUNT_ATTR_RELATIME, true),
        _ => return None,
    })
}

/// Whether an option is for mount(8), for the boot, or for other programs that read fstab(5), and of no meaning to the kernel.
fn is_for_others(name: &str, has_value: bool) -> bool {
    let words = [
        "defaults",
        "auto",
        "noauto",
        "nofail",
        "_netdev",
        "nouser",
        "nousers",
        "noowner",
        "nogroup",
        "silent",
        "loud",
        // The file systems that count the changes of a file for NFS (ext4, XFS, btrfs) all do so by themselves.
        "iversion",
        "noiversion",
        // The directory is made anyway.
        "x-mount.mkdir",
    ];
    let lower = name.to_ascii_lowercase();
    if has_value {
        let is_comment = lower.starts_with("x-") && !lower.starts_with("x-mount.");
        return is_comment || matches!(lower.as_str(), "x-mount.mkdir" | "comment" | "uhelper");
    }
    words.contains(&lower.as_str()) || lower.starts_with("x-") && !lower.starts_with("x-mount.")
}

/// Why an option is refused: it would do something else than mount a file system on a directory.
fn refusal(name: &str) -> Option<&'static str> {
    Some(match name {
        "loop" | "offset" | "sizelimit" => "attach a loop device (disk.loop) and mount that",
        "remount" => "stop and start the resource",
        "move" | "user" | "users" | "owner" | "group" | "shared" | "private" | "slave" | "unbindable" | "rshared"
        | "rprivate" | "rslave" | "runbindable" => "it has no meaning here",
        _ if name.to_ascii_lowercase().starts_with("x-mount.") && !name.eq_ignore_ascii_case("x-mount.mkdir") => {
            "mount(8) would do it, and it does not run here"
        }
        _ => return None,
    })
}

/// The directories of an overlay's `lowerdir=/a:/b\:c`, topmost first.
pub(crate) fn lower_layers(value: &str) -> Vec<std::path::PathBuf> {
    let mut layers = vec![String::new()];
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, layers.last_mut()) {
            ('\\', Some(layer)) => layer.extend(letters.next()),
            (':', _) => layers.push(String::new()),
            (_, Some(layer)) => layer.push(letter),
            (_, None) => {}
        }
    }
    layers.iter().filter(|layer| !layer.is_empty()).map(|layer| Path::new(layer).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(options: &str) -> Vec<MountWord<'_>> {
        let words = options.split(',').filter(|word| !word.is_empty());
        words
            .map(|word| match word.split_once('=') {
                Some((name, value)) => MountWord { name, value: Some(value) },
                None => MountWord { name: word, value: None },
            })
            .collect()
    }

    fn parse(options: &str) -> MountOptions {
        MountOptions::sort(&words(options)).unwrap()
    }

    fn flag(name: &str) -> MountParameter {
        MountParameter::Flag(name.to_owned())
    }

    fn value(key: &str, value: &str) -> MountParameter {
        MountParameter::Value(key.to_owned(), value.to_owned())
    }

    #[test]
    fn options_of_the_mount_and_of_the_file_system_are_separated() {
        let options = parse("rw,nosuid,noatime,discard,size=64m,x-systemd.automount,nofail,data=ordered");
        assert_eq!(options.set, MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOATIME);
        assert_eq!(options.parameters, [flag("discard"), value("size", "64m"), value("data", "ordered")]);
    }

    #[test]
    fn read_only_is_both_of_the_mount_and_of_the_file_system() {
        let options = parse("ro");
        assert_eq!(options.set, MountAttrFlags::MOUNT_ATTR_RDONLY);
        assert_eq!(options.parameters, [flag("ro")]);
    }

    #[test]
    fn the_last_word_wins() {
        assert_eq!(parse("nosuid,suid").set, MountAttrFlags::empty());
        assert_eq!(parse("suid,nosuid").set, MountAttrFlags::MOUNT_ATTR_NOSUID);
        assert_eq!(parse("noatime,strictatime").set, MountAttrFlags::MOUNT_ATTR_STRICTATIME);
        assert_eq!(parse("noatime,relatime").set, MountAttrFlags::empty());
    }

    #[test]
    fn the_last_word_of_the_file_system_wins_as_well() {
        for (options, expected) in [
            ("ro,rw", vec![]),
            ("rw,ro", vec![flag("ro")]),
            ("ro,ro", vec![flag("ro")]),
            ("sync,async,lazytime", vec![flag("lazytime")]),
        ] {
            assert_eq!(parse(options).parameters, expected, "{options}");
        }
        assert_eq!(parse("ro,rw").set, MountAttrFlags::empty());
    }

    #[test]
    fn options_for_other_programs_are_dropped() {
        let defaults = "rw,suid,dev,exec,auto,nouser,async";
        for options in [defaults, "silent,loud,iversion", "X-mount.mkdir=0755,x-mount.mkdir,X-any,comment=x,_netdev"] {
            assert_eq!(parse(options).parameters, [], "{options}");
        }
    }

    #[test]
    fn a_value_goes_to_the_file_system_as_it_is() {
        let quoted = MountWord { name: "logdev", value: Some("\" /dev/loop0\"") };
        assert_eq!(MountOptions::sort(&[quoted]).unwrap().parameters, [value("logdev", "\" /dev/loop0\"")]);
        let padded = MountWord { name: " upperdir", value: Some("/srv") };
        assert_eq!(MountOptions::sort(&[padded]).unwrap().parameters, [value(" upperdir", "/srv")]);
    }

    #[test]
    fn an_option_that_would_mean_something_else_is_refused_with_its_remedy() {
        for (option, hint) in [
            ("loop", "disk.loop"),
            ("loop=/dev/loop3", "disk.loop"),
            ("offset=512", "disk.loop"),
            ("remount", "stop and start"),
            ("rshared", "no meaning"),
            ("X-mount.subdir=data", "mount(8) would do it"),
        ] {
            let error = MountOptions::sort(&words(option)).unwrap_err();
            assert!(error.to_string().contains(hint), "{error}");
        }
    }

    #[test]
    fn lower_layers_are_split_at_plain_colons() {
        assert_eq!(lower_layers(r"/a:/b\:c:/d\\e"), [Path::new("/a"), Path::new("/b:c"), Path::new(r"/d\e")]);
    }
}
