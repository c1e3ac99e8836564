//! Paths and volumes that a container sees, in one spelling.

use std::collections::BTreeSet;

use hostler_run_args::VolumeMount;

/// A path of the node or a volume of the engine, in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerMount {
    /// `None`: a volume without a name, which the engine creates.
    pub(crate) source: Option<String>,
    pub(crate) target: String,
    pub(crate) read_only: bool,
    /// All options but `ro` and those that change nothing.
    pub(crate) options: BTreeSet<String>,
}

/// Options by which mounts made on one side appear on the other.
const SHARED: [&str; 4] = ["shared", "rshared", "slave", "rslave"];

/// Options that change nothing, because the engine does the same without them.
const DEFAULTS: [&str; 7] = ["rw", "ro", "rprivate", "rbind", "consistent", "cached", "delegated"];

impl ContainerMount {
    pub(crate) fn of(volume: &VolumeMount) -> ContainerMount {
        let extra = |option: &&String| !DEFAULTS.contains(&option.as_str());
        ContainerMount {
            source: volume.source.clone(),
            target: volume.target.clone(),
            read_only: volume.read_only(),
            options: volume.options.iter().filter(extra).cloned().collect(),
        }
    }

    /// The path on the node, if it is one.
    pub(crate) fn path(&self) -> Option<&str> {
        self.source.as_deref().filter(|source| source.starts_with('/'))
    }

    /// Whether mounts made in the container could appear on the node.
    pub(crate) fn is_shared(&self) -> bool {
        self.options.iter().any(|option| SHARED.contains(&option.as_str()))
    }

    /// Whether it is the allowed mount, or gives less: read-only where a writable one is allowed.
    pub(crate) fn is_within(&self, allowed: &ContainerMount) -> bool {
        // Less may be requested than is allowed, but nothing else: another target could hide a file of the image.
        let as_read_only = self.read_only || !allowed.read_only;
        self.source == allowed.source
            && self.target == allowed.target
            && as_read_only
            && self.options == allowed.options
    }

    /// Writes it as `Binds` takes it.
    pub(crate) fn bind(&self) -> String {
        let mut options: Vec<&str> = self.read_only.then_some("ro").into_iter().collect();
        options.extend(self.options.iter().map(String::as_str));
        let source = self.source.as_deref().map(|source| format!("{source}:")).unwrap_or_default();
        let options = if options.is_empty() { String::new() } else { format!(":{}", options.join(",")) };
        format!("{source}{}{options}", self.target)
    }
}

/// Whether the path has one spelling only.
pub(crate) fn is_plain(path: &str) -> bool {
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains(['\\', '\0']);
    path == "/" || path.strip_prefix('/').is_some_and(|rest| !rest.split('/').any(odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(text: &str) -> ContainerMount {
        ContainerMount::of(&text.parse().unwrap())
    }

    #[test]
    fn a_mount_has_one_spelling_and_may_be_less() {
        for (asked, allowed, expected) in [
            ("/a:/b", "/a:/b:rw", true),
            ("/a:/b:rprivate,rw", "/a:/b", true),
            ("/a:/b:ro", "/a:/b", true),
            ("/a:/b", "/a:/b:ro", false),
            ("/a:/b:rshared", "/a:/b", false),
            ("/a/:/b", "/a:/b", false),
            ("/:/b", "/a:/b", false),
            ("/a:/c", "/a:/b", false),
            ("data:/b", "/a:/b", false),
            ("/b", "/b", true),
        ] {
            assert_eq!(mount(asked).is_within(&mount(allowed)), expected, "{asked} in {allowed}");
        }
    }

    #[test]
    fn a_written_mount_reads_the_same() {
        for text in ["/a:/b", "/a:/b:ro,Z", "data:/b:nocopy", "/b"] {
            assert_eq!(mount(&mount(text).bind()), mount(text));
        }
    }

    #[test]
    fn odd_paths_are_seen() {
        assert!(["/", "/a", "/a/b.c"].iter().all(|path| is_plain(path)));
        assert!(["", "a", "/a/", "//a", "/a/../b", "/./a", "/a\\b"].iter().all(|path| !is_plain(path)));
    }
}
