//! `fs.nfs`: a directory of an NFS server.
//!
//! Up: it is mounted on `mnt` and answers. Down: it is not mounted. The kernel mounts it with version 4.2 of the protocol, unless
//! `mnt_opt` has another; the host resolves the server's address. If the server does not answer within `stat_timeout`, status
//! reports a warning instead of waiting. See nfs(5).

use hostler_family_filesystem::{FilesystemMount, MountPoint};
use hostler_sdk::prelude::*;

/// A directory of an NFS server.
///
/// Version 3 (`mnt_opt = vers=3,nolock`) is mounted without locks, which would need programs that the agent does not run. For a
/// mount that fails if the server is away, instead of waiting, use `mnt_opt = soft,timeo=100`.
#[derive(Keywords)]
struct NfsMount {
    /// The server and its directory.
    #[keyword(example = "nas1:/export/web")]
    dev: String,
    /// The mount point.
    #[keyword(flatten)]
    at: MountPoint,
}

#[driver]
impl Driver for NfsMount {
    const NAME: &str = "fs.nfs";
    const ALIASES: &[&str] = &["nfs4"];
    const GRANTS: &[&str] =
        &["mount = nfs4 {kw:dev} on {kw:mnt}", "mount = nfs {kw:dev} on {kw:mnt}", "files.write = {kw:mnt}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let dev =
            server_of(&self.dev).is_none().then(|| Problem::new("dev", format!("{:?} is not SERVER:/PATH", self.dev)));
        let locks = self.is_version_3() && !self.at.options().iter().any(|option| option == "nolock");
        let locks =
            locks.then(|| Problem::new("mnt_opt", "version 3 needs nolock here, because no rpc.statd runs".to_owned()));
        Ok(dev.into_iter().chain(locks).chain(self.at.problems()).collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        self.mounted().status()
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        if server_of(&self.dev).is_none() {
            return Err(Error::invalid_config(format!("dev: {:?} is not SERVER:/PATH", self.dev)));
        }
        self.mounted().start(context)
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        self.mounted().stop()
    }
}

impl NfsMount {
    fn mounted(&self) -> FilesystemMount<'_> {
        // The kernel has one type for version 4 and one for the older versions.
        let fstype = if self.is_version_3() { "nfs" } else { "nfs4" };
        FilesystemMount { at: &self.at, fstype, source: &self.dev, device: None, options: self.options() }
    }

    fn is_version_3(&self) -> bool {
        self.at.options().iter().any(|option| matches!(option.as_str(), "vers=3" | "nfsvers=3" | "v3" | "nfsvers=3.0"))
    }

    /// The options for the kernel: without those that mount.nfs(8) itself handles (retries and background mounts), and with a
    /// version.
    fn options(&self) -> Vec<String> {
        let own = |option: &String| matches!(option.as_str(), "bg" | "fg") || option.starts_with("retry=");
        let mut options: Vec<String> = self.at.options().into_iter().filter(|option| !own(option)).collect();
        let says = |option: &String| option.starts_with("vers=") || option.starts_with("nfsvers=") || is_short(option);
        if !options.iter().any(says) {
            // The kernel's own default version differs between kernels, so it is always given.
            options.push("vers=4.2".to_owned());
        }
        options
    }
}

/// Whether an option is a short form of a version: `v4.2`.
fn is_short(option: &str) -> bool {
    option.strip_prefix('v').is_some_and(|version| version.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// The server: `nas1` in `nas1:/export`. An IPv6 address has brackets.
fn server_of(dev: &str) -> Option<&str> {
    let (server, _) = dev.split_once(":/")?;
    let plain = server.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(server);
    (!plain.is_empty() && !plain.contains(['/', ' '])).then_some(plain)
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};

    use super::*;

    fn nfs(host: &Host, mnt_opt: Option<&str>) -> Case<NfsMount> {
        let at = MountPoint { mnt_opt: mnt_opt.map(str::to_owned), ..MountPoint::fake("/srv/web") };
        given(NfsMount { dev: "nas1:/export/web".to_owned(), at }).on(host)
    }

    #[test]
    fn it_is_mounted_and_unmounted_once() {
        let host = Host::new();
        nfs(&host, None)
            .status()
            .is(State::Down)
            .start()
            .is_changed("mounted nfs4 nas1:/export/web@/srv/web")
            .start()
            .is_unchanged("nfs4 nas1:/export/web@/srv/web is already mounted")
            .status()
            .is(State::Up)
            .is_silent()
            .labelled("nfs4 nas1:/export/web@/srv/web")
            .stop()
            .is_changed("unmounted nfs4 nas1:/export/web@/srv/web")
            .stop()
            .is_unchanged("nfs4 nas1:/export/web@/srv/web is already unmounted");
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| nfs(&Host::new(), None));
    }

    #[test]
    fn the_version_is_4_2_unless_it_is_said() {
        for (mnt_opt, expected) in [
            (None, "nfs4 nas1:/export/web /srv/web vers=4.2"),
            (Some("noatime,bg,retry=3"), "nfs4 nas1:/export/web /srv/web noatime,vers=4.2"),
            (Some("vers=4.1"), "nfs4 nas1:/export/web /srv/web vers=4.1"),
            (Some("v4.0"), "nfs4 nas1:/export/web /srv/web v4.0"),
            (Some("nfsvers=3,nolock"), "nfs nas1:/export/web /srv/web nfsvers=3,nolock"),
        ] {
            let host = Host::new();
            nfs(&host, mnt_opt).start();
            assert_eq!(host.mounts(), [expected]);
        }
    }

    #[test]
    fn a_server_that_does_not_answer_is_a_warning() {
        let host = Host::new().hung("/srv/web");
        nfs(&host, None)
            .start()
            .status()
            .is(State::Warn)
            .mentions("no answer within 5s")
            .stop()
            .status()
            .is(State::Down);
    }

    #[test]
    fn the_directory_of_another_server_is_not_taken_for_it() {
        let host = Host::new().mounted("nfs4", "nas2:/export/web", "/srv/web");
        nfs(&host, None)
            .status()
            .is(State::Down)
            .mentions("nfs4 nas2:/export/web is mounted on /srv/web")
            .start()
            .fails_with("nas2:/export/web is mounted on /srv/web")
            .stop()
            .is_unchanged("nfs4 nas1:/export/web@/srv/web is already unmounted");
    }

    #[test]
    fn impossible_mount_keywords_are_a_problem() {
        let host = Host::new();
        nfs(&host, None).validate().finds(&[]);
        let no_locks = ("mnt_opt", "version 3 needs nolock here, because no rpc.statd runs");
        nfs(&host, Some("vers=3")).validate().finds(&[no_locks]);
        let wrong = |dev: &str| given(NfsMount { dev: dev.to_owned(), at: MountPoint::fake("/srv/web") }).on(&host);
        wrong("[2001:db8::1]:/export").validate().finds(&[]);
        wrong("/export")
            .validate()
            .finds(&[("dev", "\"/export\" is not SERVER:/PATH")])
            .start()
            .fails_with("SERVER:/PATH");
    }
}
