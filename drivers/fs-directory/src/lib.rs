//! `fs.directory`: a directory with an owner and a mode.
//!
//! Not applicable: it exists, whether the service runs or not; status warns about a wrong owner or mode. Down: it does not exist.
//! Start creates and corrects it; stop leaves it, because it contains data. Unprovision removes what `remove` names, and nothing else.

use hostler_family_ownership::PathOwnership;
use hostler_sdk::files::FileKind;
use hostler_sdk::prelude::*;

/// A directory with an owner and a mode.
///
/// Start creates it, with its missing parents. Stop leaves it, and so does unprovision, unless `remove` names it.
#[derive(Keywords)]
struct OwnedDirectory {
    /// The directory.
    #[keyword(place, example = "/srv/{fqdn}/data")]
    path: PathBuf,
    /// What unprovision removes, with all that is in it: the directory once more, or a directory above it. By default nothing.
    #[keyword(example = "/srv/{fqdn}/data")]
    remove: Option<PathBuf>,
    /// Its owner and its mode.
    #[keyword(flatten)]
    ownership: PathOwnership,
}

#[driver]
impl Driver for OwnedDirectory {
    const NAME: &str = "fs.directory";
    const GRANTS: &[&str] =
        &["files.write(group={kw:group}) = {kw:path}", "files.write = {kw:remove}/**", "files.write = {kw:remove}"];
    const PERSISTENT: bool = true;

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match files::stat(&self.path)? {
            None => Status::down(),
            Some(stat) if stat.kind != FileKind::Directory => Status::down().warning("exists, but is not a directory"),
            Some(stat) => self.ownership.differences(&stat).into_iter().fold(Status::not_applicable(), Status::warning),
        };
        let status = status.label(self.path.display());
        Ok(match &self.remove {
            Some(tree) => status.provisioned(files::exists(tree)?),
            None => status,
        })
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        let path = self.path.display();
        // The mode of make_directory applies to new directories only; owner and mode of existing ones are corrected below.
        let made = files::make_directory(&self.path, self.ownership.perm.unwrap_or(Mode(0o755)))?;
        let Some(stat) = files::stat(&self.path)? else {
            return Err(Error::retryable(format!("{path} was removed by another process")));
        };
        let differences = self.ownership.differences(&stat);
        if !differences.is_empty() {
            self.ownership.apply(&self.path)?;
        }
        Ok(match (made, differences.is_empty()) {
            (true, _) => Outcome::changed(format!("made {path}")),
            (false, false) => Outcome::changed(format!("corrected {path}: {}", differences.join(", "))),
            (false, true) => Outcome::unchanged(format!("{path} is already there")),
        })
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        match &self.remove {
            Some(_) => self.start(context),
            // Start makes it.
            None => Ok(Outcome::unchanged("")),
        }
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        let Some(tree) = &self.remove else { return Ok(Outcome::unchanged("")) };
        Ok(match files::remove_tree(tree)? {
            true => Outcome::changed(format!("removed {}", tree.display())),
            false => Outcome::unchanged(format!("{} does not exist", tree.display())),
        })
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given};

    use super::*;

    fn plain(host: &Host) -> Case<OwnedDirectory> {
        given(OwnedDirectory { path: "/srv/data".into(), remove: None, ownership: PathOwnership::default() }).on(host)
    }

    fn owned(host: &Host) -> Case<OwnedDirectory> {
        let web = || Some("web".to_owned());
        let ownership = PathOwnership { user: web(), group: web(), perm: Some(Mode(0o2750)) };
        given(OwnedDirectory { path: "/srv/data".into(), remove: None, ownership }).on(host)
    }

    #[test]
    fn start_makes_it_once_and_stop_leaves_it() {
        let host = Host::new();
        plain(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("made /srv/data")
            .start()
            .is_unchanged("/srv/data is already there")
            .stop()
            .is_unchanged("")
            .status()
            .is(State::NotApplicable)
            .labelled("/srv/data");
        assert!(host.has_file("/srv/data"));
    }

    #[test]
    fn start_corrects_owner_and_all_bits_of_the_mode() {
        let host = Host::new().directory("/srv/data");
        owned(&host)
            .status()
            .is(State::NotApplicable)
            .mentions("owner root, not web")
            .mentions("mode 0755, not 2750")
            .start()
            .is_changed("corrected /srv/data: owner root, not web, group root, not web, mode 0755, not 2750")
            .status()
            .is(State::NotApplicable)
            .is_silent()
            .start()
            .is_unchanged("/srv/data is already there");
        assert_eq!(host.owner("/srv/data").as_deref(), Some("2750 web:web"));
    }

    #[test]
    fn unprovision_removes_what_is_named_and_nothing_else() {
        let host = Host::new().text_file("/srv/data/precious", "kept");
        plain(&host).unprovision().is_unchanged("");
        assert_eq!(host.content("/srv/data/precious").as_deref(), Some("kept"));
        let remove = Some("/srv/data".into());
        given(OwnedDirectory { path: "/srv/data".into(), remove, ownership: PathOwnership::default() })
            .on(&host)
            .unprovision()
            .is_changed("removed /srv/data")
            .status()
            .is(State::Down)
            .unprovision()
            .is_unchanged("/srv/data does not exist")
            .provision()
            .is_changed("made /srv/data")
            .status()
            .is(State::NotApplicable);
    }

    #[test]
    fn numbers_are_as_good_as_names() {
        let host = Host::new().directory("/srv/data");
        let root = || Some("0".to_owned());
        let ownership = PathOwnership { user: root(), group: root(), perm: None };
        given(OwnedDirectory { path: "/srv/data".into(), remove: None, ownership })
            .on(&host)
            .status()
            .is(State::NotApplicable)
            .start()
            .is_unchanged("/srv/data is already there");
    }

    #[test]
    fn a_file_of_that_name_is_not_a_directory() {
        let host = Host::new().text_file("/srv/data", "precious");
        plain(&host).status().is(State::Down).mentions("is not a directory").start().fails_with("/srv/data");
        assert_eq!(host.content("/srv/data").as_deref(), Some("precious"));
    }
}
