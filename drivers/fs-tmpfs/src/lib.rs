//! `fs.tmpfs`: a file system in memory.
//!
//! Up: a tmpfs is mounted on `mnt`. Down: none is mounted. Stop loses its content. See tmpfs(5).

use hostler_family_filesystem::{FilesystemMount, MountPoint};
use hostler_sdk::prelude::*;

/// A file system in memory. Stop loses its content.
#[derive(Keywords)]
struct TmpfsMount {
    /// The name in the list of mounts.
    #[keyword(default = "none")]
    dev: String,
    /// The mount point.
    #[keyword(flatten)]
    at: MountPoint,
    /// The maximum size. The default is half of the node's memory.
    #[keyword(example = "512m")]
    size: Option<Size>,
}

#[driver]
impl Driver for TmpfsMount {
    const NAME: &str = "fs.tmpfs";
    const ALIASES: &[&str] = &["shm", "shmfs"];
    const GRANTS: &[&str] = &["mount = tmpfs {kw:dev} on {kw:mnt}", "files.write = {kw:mnt}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        Ok(self.at.problems())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        self.mounted().status()
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        self.mounted().start(context)
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        self.mounted().stop()
    }
}

impl TmpfsMount {
    fn mounted(&self) -> FilesystemMount<'_> {
        let mut options = self.at.options();
        // In bytes: the kernel's suffixes are not those of the keyword.
        options.extend(self.size.map(|size| format!("size={}", size.as_bytes())));
        FilesystemMount { at: &self.at, fstype: "tmpfs", source: &self.dev, device: None, options }
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Host, given};

    use super::*;

    #[test]
    fn it_mounts_with_its_size_and_goes_again() {
        let host = Host::new();
        let mut at = MountPoint::fake("/srv/tmp");
        at.mnt_opt = Some("mode=0700".to_owned());
        given(TmpfsMount { dev: "none".to_owned(), at, size: Some(Size::mib(64)) })
            .on(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("mounted tmpfs none@/srv/tmp")
            .start()
            .is_unchanged("tmpfs none@/srv/tmp is already mounted")
            .status()
            .is(State::Up)
            .then(|host| assert_eq!(host.mounts(), ["tmpfs none /srv/tmp mode=0700,size=67108864"]))
            .stop()
            .is_changed("unmounted tmpfs none@/srv/tmp")
            .status()
            .is(State::Down);
    }
}
