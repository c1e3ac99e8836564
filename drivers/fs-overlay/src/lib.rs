//! `fs.overlay`: a directory made of layers. Writes go to the topmost layer.
//!
//! Up: the overlay is mounted on `mnt`. Down: it is not mounted. Start creates `upper` and `work` if they are missing; written
//! data stay in `upper`. See mount(8), "Mount options for overlay".

use hostler_family_filesystem::{FilesystemMount, MountPoint};
use hostler_sdk::prelude::*;

/// A directory made of layers.
///
/// `upper` and `work` must be on the same file system. Without them the overlay is read-only, and needs at least two layers.
#[derive(Keywords)]
struct OverlayMount {
    /// The read-only layers, topmost first. One is enough if there is an `upper`.
    #[keyword(example = "/srv/web/site /srv/web/base")]
    lower: Vec<String>,
    /// The layer that receives writes.
    upper: Option<PathBuf>,
    /// An empty directory on the same file system as `upper`, for the kernel's use.
    work: Option<PathBuf>,
    /// The mount point.
    #[keyword(flatten)]
    at: MountPoint,
}

#[driver]
impl Driver for OverlayMount {
    const NAME: &str = "fs.overlay";
    const GRANTS: &[&str] = &[
        "mount = overlay overlay on {kw:mnt}",
        "files.read = {kw:lower}",
        "files.write = {kw:upper}",
        "files.write = {kw:work}",
        "files.write = {kw:mnt}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = self.at.problems();
        if self.lower.is_empty() {
            problems.push(Problem::new("lower", "expected at least one directory"));
        }
        if self.lower.len() == 1 && self.upper.is_none() {
            problems.push(Problem::new(
                "lower",
                "expected another directory, or upper and work: one layer is not an overlay",
            ));
        }
        match (&self.upper, &self.work) {
            (Some(_), None) => problems.push(Problem::new("work", "is missing: upper needs it")),
            (None, Some(_)) => problems.push(Problem::new("upper", "is missing: work alone has no use")),
            _ => {}
        }
        problems.extend(self.layers().filter_map(|(keyword, layer)| {
            let mark = layer.chars().find(|letter| [',', ':', '\\'].contains(letter))?;
            Some(Problem::new(
                keyword,
                format!("{layer} contains {mark:?}, which separates layers: rename the directory"),
            ))
        }));
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        self.mounted().status()
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let mounted = self.mounted();
        // Below a mounted overlay the kernel forbids changes of its directories.
        if let Some(outcome) = mounted.found(context)? {
            return Ok(outcome);
        }
        for own in [&self.upper, &self.work].into_iter().flatten() {
            files::make_directory(own, Mode(0o755))?;
        }
        mounted.mount()
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        self.mounted().stop()
    }
}

impl OverlayMount {
    /// All layers, each with the keyword that names it.
    fn layers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let lower = self.lower.iter().map(|layer| ("lower", layer.clone()));
        let own = [("upper", &self.upper), ("work", &self.work)].into_iter();
        lower.chain(own.filter_map(|(keyword, path)| Some((keyword, path.as_ref()?.display().to_string()))))
    }

    fn mounted(&self) -> FilesystemMount<'_> {
        let mut options = self.at.options();
        options.push(format!("lowerdir={}", self.lower.join(":")));
        options.extend(self.upper.iter().map(|upper| format!("upperdir={}", upper.display())));
        options.extend(self.work.iter().map(|work| format!("workdir={}", work.display())));
        // Without an upper layer the kernel mounts it read-only anyway; saying so keeps status from reporting it as degraded.
        if self.upper.is_none() {
            options.push("ro".to_owned());
        }
        FilesystemMount { at: &self.at, fstype: "overlay", source: "overlay", device: None, options }
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Host, given};

    use super::*;

    fn overlay(upper: Option<&str>, work: Option<&str>) -> OverlayMount {
        OverlayMount {
            lower: vec!["/site".to_owned(), "/base".to_owned()],
            upper: upper.map(PathBuf::from),
            work: work.map(PathBuf::from),
            at: MountPoint::fake("/srv/web"),
        }
    }

    #[test]
    fn start_makes_the_layers_to_write_and_mounts() {
        let host = Host::new().directory("/site").directory("/base").directory("/own");
        given(overlay(Some("/own/upper"), Some("/own/work")))
            .on(&host)
            .validate()
            .finds(&[])
            .start()
            .is_changed("mounted overlay overlay@/srv/web")
            .start()
            .is_unchanged("overlay overlay@/srv/web is already mounted")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("unmounted overlay overlay@/srv/web")
            .status()
            .is(State::Down);
        assert!(host.has_file("/own/upper") && host.has_file("/own/work"));
    }

    #[test]
    fn an_overlay_of_others_is_not_taken_for_it() {
        let host = Host::new().mounted("overlay", "overlay", "/srv/web");
        given(overlay(Some("/own/upper"), Some("/own/work")))
            .on(&host)
            .status()
            .is(State::Down)
            .stop()
            .is_unchanged("overlay overlay@/srv/web is already unmounted");
    }

    #[test]
    fn upper_and_work_go_together() {
        let check = |overlay: OverlayMount, expected: &[(&str, &str)]| {
            given(overlay).on(&Host::new()).validate().finds(expected);
        };
        check(overlay(Some("/own/upper"), None), &[("work", "is missing: upper needs it")]);
        check(overlay(None, Some("/own/work")), &[("upper", "is missing: work alone has no use")]);
        let of = |lower: &[&str], overlay| OverlayMount {
            lower: lower.iter().map(|&dir| dir.to_owned()).collect(),
            ..overlay
        };
        check(of(&[], overlay(None, None)), &[("lower", "expected at least one directory")]);
        let lonely = "expected another directory, or upper and work: one layer is not an overlay";
        check(of(&["/site"], overlay(None, None)), &[("lower", lonely)]);
        check(of(&["/site"], overlay(Some("/own/upper"), Some("/own/work"))), &[]);
        let comma = "/own/a,b contains ',', which separates layers: rename the directory";
        check(of(&["/site"], overlay(Some("/own/a,b"), Some("/own/work"))), &[("upper", comma)]);
        let colon = "/a:b contains ':', which separates layers: rename the directory";
        check(of(&["/a:b", "/base"], overlay(None, None)), &[("lower", colon)]);
    }

    #[test]
    fn without_a_layer_to_write_it_is_read_only_and_that_is_no_fault() {
        let host = Host::new().directory("/site").directory("/base");
        given(overlay(None, None)).on(&host).start().status().is(State::Up).is_silent();
        assert_eq!(host.mounts(), ["overlay overlay /srv/web lowerdir=/site:/base,ro"]);
    }
}
