//! The options of a mount, read once: grants, the audit and the kernel are given the very list that comes from here.

use grant::op::{MountFreedom, MountOption};
use kernel::mount::{MountWord, mountinfo};
use kernel::process::UserAccount;

use crate::CapabilityError;

/// Reads options as mount(8) has them, each of which may itself be a list with commas. A value may stand in quotes, which are not
/// part of it; anything else that two readers could take in two ways is an error.
pub fn read_options(lists: &[String]) -> Result<Vec<MountOption>, CapabilityError> {
    let words = lists.iter().flat_map(|list| mountinfo::split_options(list)).filter(|word| !word.is_empty());
    words.map(|word| option(&word)).collect()
}

fn option(word: &str) -> Result<MountOption, CapabilityError> {
    let invalid = |why: &str| CapabilityError::Invalid(format!("the mount option {word:?} {why}"));
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    if name.is_empty() || name.chars().any(|c| c == '"' || c.is_whitespace() || c.is_control()) {
        return Err(invalid("has a name with a quote or a blank in it: expected NAME or NAME=VALUE"));
    }
    let value = match value {
        Some(quoted) if quoted.starts_with('"') => {
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            Some(inner.ok_or_else(|| invalid("has a quote that does not end with its value"))?)
        }
        plain => plain,
    };
    if value.is_some_and(|value| value.contains('"') || value.contains(char::is_control)) {
        return Err(invalid("has a quote or a control character within its value"));
    }
    if value.is_some_and(|value| value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace)) {
        return Err(invalid("has a value with a blank at its end"));
    }
    Ok(MountOption { name: name.to_owned(), value: value.map(str::to_owned) })
}

/// The options of a mount of a namespace: what takes a restriction back is left out, and no file system of a team brings programs
/// that run as root, or devices.
pub(super) fn confined(mut options: Vec<MountOption>, freedom: MountFreedom) -> Vec<MountOption> {
    if freedom == MountFreedom::Namespace {
        // Those that are added go as well, so that each stands once: grants, the audit and the kernel see one list.
        options.retain(|option| !matches!(option.name.as_str(), "suid" | "dev" | "nosuid" | "nodev"));
        options.extend(["nosuid", "nodev"].map(MountOption::flag));
    }
    options
}

/// Refuses a group that is none of the owner's, for the files of a mount of a namespace. Their owner is root unless `uid=` says another.
pub(super) fn check_group(options: &[MountOption], freedom: MountFreedom) -> Result<(), CapabilityError> {
    let value =
        |name: &str| options.iter().rfind(|option| option.name == name).and_then(|option| option.value.as_deref());
    // The last one counts, as it does in the kernel.
    let Some(group) = value("gid").filter(|_| freedom == MountFreedom::Namespace) else { return Ok(()) };
    let owner = value("uid").unwrap_or("0");
    if UserAccount::owns_group(Some(owner), group)? {
        return Ok(());
    }
    let wanted = format!(
        "the mount option gid={group}, which outside of the namespace root is a group of the user that uid= names"
    );
    Err(CapabilityError::Denied(wanted))
}

/// Refuses what lets a file system in memory of a namespace take more than half of the node's memory, which is what the kernel gives one
/// whose options say nothing.
pub(super) fn check_memory(
    fstype: &str,
    options: &[MountOption],
    freedom: MountFreedom,
) -> Result<(), CapabilityError> {
    if freedom == MountFreedom::Full || !matches!(fstype, "tmpfs" | "ramfs") {
        return Ok(());
    }
    if fstype == "ramfs" {
        let wanted = "a ramfs, which has no limit, outside of the namespace root: a tmpfs has one".to_owned();
        return Err(CapabilityError::Denied(wanted));
    }
    let most = kernel::memory::total() / 2;
    let bounded = |option: &MountOption| {
        let value = option.value.as_deref().unwrap_or_default();
        match option.name.as_str() {
            "size" => match value.strip_suffix('%') {
                Some(percent) => count(percent).is_some_and(|percent| percent <= 50),
                None => count(value).is_some_and(|bytes| bytes <= most),
            },
            "nr_blocks" => count(value).is_some_and(|blocks| blocks <= most / BLOCK),
            // Each takes about so much of the kernel's own memory.
            "nr_inodes" => count(value).is_some_and(|inodes| inodes <= most / BLOCK),
            // Small files would take 2 MiB each.
            "huge" => matches!(value, "never" | "advise" | "within_size" | "deny"),
            _ => true,
        }
    };
    match options.iter().find(|option| !bounded(option)) {
        None => Ok(()),
        Some(option) => {
            let wanted = format!(
                "the mount option {}, which outside of the namespace root stays within half of the node's memory, {most} bytes",
                option.text()
            );
            Err(CapabilityError::Denied(wanted))
        }
    }
}

/// The size of a block of a tmpfs, as `nr_blocks` counts.
const BLOCK: u64 = 4096;

/// The number that the kernel reads, if it reads but one: decimal, with a suffix, and not 0, which stands for no limit.
fn count(text: &str) -> Option<u64> {
    let (digits, shift) = match text.char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 10),
        Some((end, 'm' | 'M')) => (&text[..end], 20),
        Some((end, 'g' | 'G')) => (&text[..end], 30),
        _ => (text, 0),
    };
    // To the kernel a number that begins with 0 is octal.
    let is_plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_plain)?.checked_mul(1 << shift)
}

/// The same list as the kernel takes it.
pub(super) fn words(options: &[MountOption]) -> Vec<MountWord<'_>> {
    options.iter().map(|option| MountWord { name: &option.name, value: option.value.as_deref() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &str) -> Result<Vec<String>, String> {
        let options = read_options(&[list.to_owned()]).map_err(|error| error.to_string())?;
        Ok(options.iter().map(|option| format!("{}|{}", option.name, option.value.as_deref().unwrap_or("-"))).collect())
    }

    #[test]
    fn an_option_is_a_name_and_a_value_without_its_quotes() {
        assert_eq!(texts("rw,,size=64m").unwrap(), ["rw|-", "size|64m"]);
        assert_eq!(texts(r#"logdev="/dev/loop0""#).unwrap(), ["logdev|/dev/loop0"]);
        assert_eq!(texts(r#"context="a:b,c",ro"#).unwrap(), ["context|a:b,c", "ro|-"]);
        assert_eq!(texts("lowerdir=/a b:/c").unwrap(), ["lowerdir|/a b:/c"]);
    }

    #[test]
    fn the_group_of_a_namespaces_files_is_one_of_their_owner_s() {
        let check = |list: &str, freedom| check_group(&read_options(&[list.to_owned()]).unwrap(), freedom).is_ok();
        for (list, allowed) in [
            ("", true),
            ("uid=65534", true),
            ("gid=0", true),
            ("gid=42", false),
            ("uid=65534,gid=65534", true),
            ("gid=0,uid=65534", false),
            ("gid=0,gid=42", false),
        ] {
            assert_eq!(check(list, MountFreedom::Namespace), allowed, "{list}");
            assert!(check(list, MountFreedom::Full), "{list}");
        }
    }

    #[test]
    fn a_namespaces_files_in_memory_are_bounded() {
        let check = |fstype: &str, list: &str, freedom| {
            check_memory(fstype, &read_options(&[list.to_owned()]).unwrap(), freedom).is_ok()
        };
        for (list, allowed) in [
            ("", true),
            ("size=1m,mode=700,nr_inodes=1k", true),
            ("size=50%", true),
            ("huge=within_size", true),
            ("size=51%", false),
            ("size=0", false),
            ("size=0%", false),
            ("size=00", false),
            ("size=", false),
            ("size", false),
            ("size=100t", false),
            ("size=0x10", false),
            ("size=100000g", false),
            ("size=99999999999g", false),
            ("size=1m,size=100t", false),
            ("nr_blocks=99999999999", false),
            ("nr_blocks=0", false),
            ("nr_inodes=0", false),
            ("nr_inodes=99999999999", false),
            ("huge=always", false),
            ("huge=force", false),
            ("huge", false),
        ] {
            assert_eq!(check("tmpfs", list, MountFreedom::Namespace), allowed, "{list}");
            assert!(check("tmpfs", list, MountFreedom::Full), "{list}");
            assert!(check("ext4", list, MountFreedom::Namespace), "{list}");
        }
        assert!(!check("ramfs", "", MountFreedom::Namespace));
        assert!(check("ramfs", "", MountFreedom::Full));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_an_error() {
        for list in [
            " upperdir=/srv/x",
            "rw, noatime",
            "upperdir =/srv/x",
            "upperdir= /srv/x",
            "upperdir=/srv/x ",
            r#"logdev=""/dev/loop0""#,
            r#"logdev="/dev/loop0"#,
            r#"logdev=/dev/"loop0""#,
            r#""logdev"=/dev/loop0"#,
            "logdev=/dev/loop0\n",
            "a\tb",
            "=x",
        ] {
            assert!(texts(list).is_err(), "{list:?}: {:?}", texts(list));
        }
    }

    #[test]
    fn a_namespace_gets_nosuid_and_nodev_whatever_it_says() {
        for list in ["", "suid,dev", "nosuid,suid", "rw,nodev,dev,noatime"] {
            let options = confined(read_options(&[list.to_owned()]).unwrap(), MountFreedom::Namespace);
            let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
            assert_eq!(names[names.len() - 2..], ["nosuid", "nodev"], "{list}");
            assert!(!names.contains(&"suid") && !names.contains(&"dev"), "{list}");
        }
        let own = read_options(&["suid,dev".to_owned()]).unwrap();
        assert_eq!(confined(own.clone(), MountFreedom::Full), own);
    }
}
