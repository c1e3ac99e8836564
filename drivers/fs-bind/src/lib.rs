//! `fs.bind`: a directory that is also mounted at a second place.
//!
//! Up: the directory `dev` is mounted on `mnt`. Down: it is not. See mount(8), "bind mounts".

use hostler_family_filesystem::{FilesystemMount, MountPoint};
use hostler_sdk::prelude::*;

/// A directory that is also mounted at a second place, perhaps read-only (`mnt_opt = ro`).
#[derive(Keywords)]
struct BindMount {
    /// The directory to mount.
    #[keyword(example = "/srv/data/web", kind = "path")]
    dev: String,
    /// The mount point. `mnt_opt = rbind` includes the mounts below the directory.
    #[keyword(flatten)]
    at: MountPoint,
}

#[driver]
impl Driver for BindMount {
    const NAME: &str = "fs.bind";
    const ALIASES: &[&str] = &["none"];
    const GRANTS: &[&str] =
        &["mount = bind {kw:dev} on {kw:mnt}", "files.write = {kw:dev}/**", "files.write = {kw:mnt}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        Ok(self.at.problems_of_bind())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        self.mounted().status()
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let mounted = self.mounted();
        if let Some(outcome) = mounted.found(context)? {
            return Ok(outcome);
        }
        // mount(2) would report a missing source as a missing target.
        if !files::exists(&self.dev)? {
            return Err(Error::failed(format!("{} does not exist", self.dev)));
        }
        mounted.mount()
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        self.mounted().stop()
    }
}

impl BindMount {
    fn mounted(&self) -> FilesystemMount<'_> {
        FilesystemMount { at: &self.at, fstype: "bind", source: &self.dev, device: None, options: self.at.options() }
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given};

    use super::*;

    fn bind(host: &Host) -> Case<BindMount> {
        given(BindMount { dev: "/data/web".to_owned(), at: MountPoint::fake("/srv/web") }).on(host)
    }

    #[test]
    fn it_shows_the_directory_and_hides_it_again() {
        let host = Host::new().directory("/data/web");
        bind(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("mounted bind /data/web@/srv/web")
            .start()
            .is_unchanged("bind /data/web@/srv/web is already mounted")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("unmounted bind /data/web@/srv/web")
            .status()
            .is(State::Down);
    }

    #[test]
    fn a_foreign_mount_is_not_taken_for_it() {
        let host =
            Host::new().directory("/data/web").directory("/data/other").mounted("bind", "/data/other", "/srv/web");
        bind(&host)
            .status()
            .is(State::Down)
            .mentions("/data/other is mounted on /srv/web")
            .start()
            .fails_with("/data/other is mounted on /srv/web")
            .stop()
            .is_unchanged("bind /data/web@/srv/web is already unmounted");
        assert_eq!(host.mounts().len(), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        bind(&Host::new()).start().fails_with("/data/web does not exist");
    }
}
