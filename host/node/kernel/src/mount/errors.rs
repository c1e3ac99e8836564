//! Explains why a mount failed. The kernel answers `EINVAL` for a dozen causes, and writes the cause to its log.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::attach::MountCall;
use crate::KernelError;

/// The messages that the file system wrote to its context. Many file systems write none.
pub(crate) fn messages(context: &OwnedFd) -> Vec<String> {
    let mut buffer = [0; 1024];
    let mut messages = Vec::new();
    // Each read returns one message, and ENODATA follows the last.
    while let Ok(length) = rustix::io::read(context, &mut buffer) {
        if length == 0 || messages.len() == 16 {
            break;
        }
        let message = String::from_utf8_lossy(&buffer[..length]);
        // A message starts with its level: `e `, `w ` or `i `.
        messages.push(message.get(2..).unwrap_or(&message).trim().to_owned());
    }
    messages
}

/// The error of a mount that was refused for a known reason.
pub(crate) fn refused(request: MountCall<'_>, errno: Errno, why: String) -> KernelError {
    KernelError::Refused { doing: format!("mount {} on {}", request.source, request.target.display()), why, errno }
}

/// The error of a refused mount.
pub(crate) fn explain(request: MountCall<'_>, errno: Errno, messages: &[String]) -> KernelError {
    // The file system knows best, if it says anything at all.
    let why = if messages.is_empty() { reason(errno, request.fstype) } else { Some(messages.join("; ")) };
    match why {
        Some(why) => refused(request, errno, why),
        None => KernelError::Os { doing: format!("mount {} on {}", request.source, request.target.display()), errno },
    }
}

fn reason(errno: Errno, fstype: &str) -> Option<String> {
    Some(match errno {
        // Also if it is built as a module that cannot be loaded here.
        Errno::NODEV => format!("the kernel does not know the file system {fstype}"),
        Errno::INVAL if fstype == "bind" => {
            "the source or the target cannot be bound, such as a file on a directory".into()
        }
        Errno::INVAL => format!("there is no {fstype} on it, or an option is wrong; dmesg(1) may say more"),
        Errno::UCLEAN | Errno::BADMSG => format!("the {fstype} on it is damaged and needs fsck"),
        Errno::BUSY => "it is mounted otherwise, or another device or driver uses it".into(),
        Errno::ROFS | Errno::ACCESS => "the device is read-only: mount it with the option ro".into(),
        Errno::NOTBLK => "it is not a block device".into(),
        Errno::NXIO | Errno::NOMEDIUM => "there is no such device, or nothing is in it".into(),
        Errno::PERM => "only root may mount (CAP_SYS_ADMIN)".into(),
        Errno::NOTDIR => "the target is not a directory".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn explained(errno: Errno, messages: &[String]) -> String {
        let request = MountCall {
            source: "/dev/loop0",
            target: Path::new("/srv"),
            fstype: "ext4",
            options: &[],
            keeps_restrictions: false,
            may_find: &crate::block::any_device,
            judge: &|_| Ok(()),
            prepared: &|_| Ok(()),
        };
        explain(request, errno, messages).sentence()
    }

    #[test]
    fn the_kernels_own_words_come_first() {
        let messages = ["overlay: workdir and upperdir must be separate subtrees".to_owned()];
        assert_eq!(explained(Errno::INVAL, &messages), format!("cannot mount /dev/loop0 on /srv: {}", messages[0]));
    }

    #[test]
    fn an_errno_is_explained_where_the_kernel_is_silent() {
        assert!(explained(Errno::INVAL, &[]).contains("there is no ext4 on it"));
        assert!(explained(Errno::UCLEAN, &[]).contains("needs fsck"));
        assert_eq!(explained(Errno::NOSPC, &[]), "cannot mount /dev/loop0 on /srv: no space left on device");
    }
}
