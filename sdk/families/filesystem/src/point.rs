//! The keywords of a mount point, and what their options ask for.

use std::path::PathBuf;
use std::time::Duration;

use hostler_sdk::{Keywords, Problem};

/// The keywords of a mount point.
#[derive(Debug, Clone, Keywords)]
pub struct MountPoint {
    /// The mount point. The directory is created if it does not exist.
    #[keyword(place, example = "/srv/{fqdn}")]
    pub mnt: PathBuf,
    /// The options of mount(8), separated by commas.
    #[keyword(example = "noatime,nodev")]
    pub mnt_opt: Option<String>,
    /// How long the file system may take to answer. If it takes longer, the state is warn.
    #[keyword(default = "5s")]
    pub stat_timeout: Duration,
    /// Whether status also reads the directory. This finds a file system that answers but cannot be read, and costs one read each
    /// time.
    #[keyword(default = "false")]
    pub check_read: bool,
    /// Whether to mount over a directory that is not empty, which hides its files.
    #[keyword(default = "false")]
    pub overmount: bool,
}

impl MountPoint {
    /// The mount options as a list.
    pub fn options(&self) -> Vec<String> {
        let options = self.mnt_opt.as_deref().unwrap_or_default().split(',');
        options.map(str::trim).filter(|option| !option.is_empty()).map(str::to_owned).collect()
    }

    /// The problems of the options of a file system, which start would only find when it mounts.
    pub fn problems(&self) -> Vec<Problem> {
        let is_bind = |option: &String| matches!(option.as_str(), "bind" | "rbind");
        let bind = self.options().into_iter().filter(is_bind).map(|option| {
            let instead = "a directory is shown at a second place by a resource fs.bind";
            Problem::new("mnt_opt", format!("{option} is not supported: {instead}"))
        });
        bind.chain(self.problems_of_bind()).collect()
    }

    /// The same of a bind mount.
    pub fn problems_of_bind(&self) -> Vec<Problem> {
        let problem = |option: String| {
            let name = option.split('=').next().unwrap_or_default();
            let instead = match name {
                "loop" | "offset" | "sizelimit" => "attach the image with a resource disk.loop, and mount its device",
                "remount" => "stop and start the resource",
                "user" | "users" | "owner" | "group" => "only the agent mounts it",
                // The directory is made anyway.
                _ if name.eq_ignore_ascii_case("x-mount.mkdir") => return None,
                _ if name.to_ascii_lowercase().starts_with("x-mount.") => {
                    "mount(8) would do it, and it does not run here"
                }
                _ => return None,
            };
            Some(Problem::new("mnt_opt", format!("{option} is not supported: {instead}")))
        };
        self.options().into_iter().filter_map(problem).collect()
    }

    /// For tests: a mount point at `mnt`, with the defaults of all other keywords.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fake(mnt: &str) -> MountPoint {
        MountPoint {
            mnt: mnt.into(),
            mnt_opt: None,
            stat_timeout: Duration::from_secs(5),
            check_read: false,
            overmount: false,
        }
    }
}

/// The attributes that the kernel lists for each mount, with the words that take them back.
const ATTRIBUTES: [(&str, &[&str]); 7] = [
    ("ro", &["rw"]),
    ("nosuid", &["suid"]),
    ("nodev", &["dev"]),
    ("noexec", &["exec"]),
    ("nosymfollow", &["symfollow"]),
    ("nodiratime", &["diratime"]),
    ("noatime", &["atime", "relatime", "strictatime"]),
];

/// The attributes that the options ask for. The last word wins, as in mount(8).
pub(crate) fn attributes(options: &[String]) -> Vec<&'static str> {
    let asked = |(name, taken_back): &(&'static str, &[&str])| {
        let says = |option: &&String| *option == name || taken_back.contains(&option.as_str());
        options.iter().rfind(says).filter(|last| last == name).map(|_| *name)
    };
    ATTRIBUTES.iter().filter_map(asked).collect()
}

/// Whether the options ask for a mount that cannot be written.
pub(crate) fn is_read_only(options: &[String]) -> bool {
    attributes(options).contains(&"ro")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_the_options_wins() {
        for (mnt_opt, expected) in [
            ("", vec![]),
            ("defaults,nodev,noexec", vec!["nodev", "noexec"]),
            ("ro,rw", vec![]),
            ("suid,nosuid,rw,ro", vec!["ro", "nosuid"]),
            ("noatime,relatime,size=1m", vec![]),
        ] {
            let at = MountPoint { mnt_opt: Some(mnt_opt.to_owned()), ..MountPoint::fake("/srv") };
            assert_eq!(attributes(&at.options()), expected, "{mnt_opt}");
            assert_eq!(at.problems().len(), 0, "{mnt_opt}");
        }
    }

    #[test]
    fn an_option_for_another_resource_is_a_problem_that_names_it() {
        let options = "loop,rw,user,X-mount.mkdir=0700,X-mount.owner=www,rbind";
        let at = MountPoint { mnt_opt: Some(options.to_owned()), ..MountPoint::fake("/srv") };
        let texts = |problems: Vec<Problem>| -> Vec<String> { problems.into_iter().map(|found| found.text).collect() };
        let of_bind = texts(at.problems_of_bind());
        assert!(of_bind[0].starts_with("loop is not supported: attach the image with a resource disk.loop"));
        assert_eq!(of_bind[1], "user is not supported: only the agent mounts it");
        let owner = "X-mount.owner=www is not supported: mount(8) would do it, and it does not run here";
        assert_eq!(of_bind[2..], [owner]);
        let rbind = "rbind is not supported: a directory is shown at a second place by a resource fs.bind";
        assert_eq!(texts(at.problems()), [&[rbind.to_owned()][..], &of_bind].concat());
    }
}
