//! What the keywords ask for, compared with what is mounted: with a stranger before it is taken on, and with the mount that is up,
//! whose keywords may have been edited since.

use hostler_sdk::holdings::Holding;
use hostler_sdk::mount::MountEntry;
use hostler_sdk::state::{self, StateScope};
use hostler_sdk::{CapabilityError, Result, block, files};

use crate::FilesystemMount;

/// The key under which the host keeps what the keywords asked for when it was mounted.
const ASKED: &str = "asked";

/// Separates the texts of [`ASKED`]: no path can contain it.
const SEPARATOR: char = '\0';

/// File systems of which a look at the root may wait for a server.
const REMOTE: [&str; 6] = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p"];

/// A keyword that says what is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AskedKeyword {
    name: String,
    value: String,
    /// What the value led to when it was mounted: a path without links, a device, the UUID of a file system on several devices.
    led_to: String,
}

impl FilesystemMount<'_> {
    /// Remembers what the keywords ask for now: what is mounted is what they lead to now.
    pub(crate) fn remember(&self) -> Result<()> {
        let texts = self.asked().into_iter().flat_map(|(name, value)| {
            let led_to = self.leads_to(name, &value).unwrap_or_default();
            [name.to_owned(), value, led_to]
        });
        let texts: Vec<String> = texts.collect();
        Ok(state::set(StateScope::Boot, ASKED, &texts.join(&SEPARATOR.to_string()))?)
    }

    /// How the keywords differ from those of the start. Nothing if another name leads to the same thing.
    pub(crate) fn edits(&self, held: &Holding) -> Result<Vec<String>> {
        let applies =
            |name: &str, now: &str| format!("{} is up, and {name} is {now} now: a restart applies it", held.label);
        if family(held.text("fstype")) != family(self.fstype) {
            return Ok(vec![applies("type", family(self.fstype))]);
        }
        let now = self.asked();
        let Some(then) = remembered()? else { return Ok(Vec::new()) };
        let added = now.iter().filter(|(name, _)| then.iter().all(|known| known.name != *name));
        let mut edits: Vec<String> = added.map(|(name, value)| applies(name, value)).collect();
        for AskedKeyword { name, value, led_to } in &then {
            match now.iter().find(|(known, _)| known == name) {
                None => edits.push(applies(name, "not set")),
                // A reference to a resource that is down has no value.
                Some((_, same)) if same == value || same.is_empty() => {}
                Some((known, other)) => {
                    let is_same = !led_to.is_empty() && self.leads_to(known, other).as_ref() == Some(led_to);
                    edits.extend((!is_same).then(|| applies(name, other)));
                }
            }
        }
        Ok(edits)
    }

    /// Whether the keyword has another text than at the start.
    pub(crate) fn is_edited(&self, name: &str) -> Result<bool> {
        let now = self.asked();
        let then = remembered()?.into_iter().flatten().find(|known| known.name == name);
        Ok(then.is_some_and(|then| now.iter().all(|(known, value)| *known != name || *value != then.value)))
    }

    /// Why the mount of something else is not the one that the keywords ask for. None if it is, or if that cannot be found out here.
    pub(crate) fn mismatch(&self, found: &MountEntry) -> Result<Option<String>> {
        if self.fstype == "bind" {
            return Ok(self.mismatch_of_bind(found));
        }
        if family(&found.fstype) != family(self.fstype) {
            return Ok(Some(format!("it is {}, and not {}", found.fstype, self.fstype)));
        }
        let mismatch = match self.fstype {
            "overlay" => self.mismatch_of_layers(found),
            "tmpfs" => None,
            remote if REMOTE.contains(&remote) => {
                let is_it = found.source.trim_end_matches('/') == self.source.trim_end_matches('/');
                (!is_it).then(|| format!("dev asks for {}", self.source))
            }
            _ => self.mismatch_of_device(found)?,
        };
        Ok(mismatch.or_else(|| self.mismatch_of_root(found)))
    }

    fn mismatch_of_bind(&self, found: &MountEntry) -> Option<String> {
        if REMOTE.contains(&found.fstype.as_str()) || found.fstype.starts_with("fuse") {
            return None;
        }
        self.mismatch_of_shown()
    }

    /// Why the directory at the mount point is not the one that the source of a bind leads to.
    pub(crate) fn mismatch_of_shown(&self) -> Option<String> {
        if self.fstype != "bind" {
            return None;
        }
        let identity = |path: &str| -> std::result::Result<Option<(u64, u64)>, CapabilityError> {
            let Some(real) = files::real_path(path)? else { return Ok(None) };
            Ok(files::stat(real)?.map(|found| found.identity))
        };
        match (identity(self.source), identity(&self.at.mnt.to_string_lossy())) {
            (Ok(None), _) => Some(format!("{} does not exist", self.source)),
            (Ok(Some(own)), Ok(Some(shown))) if own != shown => {
                Some(format!("it shows another directory than {}", self.source))
            }
            _ => None,
        }
    }

    /// The kernel lists the layers as they were given to it.
    fn mismatch_of_layers(&self, found: &MountEntry) -> Option<String> {
        let shown = |names: &[&str]| -> Vec<String> {
            let options = found.options.iter().filter_map(|option| option.split_once('='));
            let values = options.filter(|(name, _)| names.contains(name)).map(|(_, value)| value);
            values.flat_map(|value| value.split(':')).map(str::to_owned).collect()
        };
        let asked = self.asked();
        [("lower", &["lowerdir", "lowerdir+"][..]), ("upper", &["upperdir"]), ("work", &["workdir"])].iter().find_map(
            |(keyword, options)| {
                let shown = shown(options);
                let asked = asked.iter().find(|(name, _)| name == keyword);
                let own: Vec<&str> = asked.iter().flat_map(|(_, value)| value.split(':')).collect();
                let is_it = |(own, shown): (&&str, &String)| own == shown || real(own).as_ref() == Some(shown);
                let same = own.len() == shown.len() && own.iter().zip(&shown).all(is_it);
                let text = |list: String| if list.is_empty() { "none".to_owned() } else { list };
                (!same).then(|| {
                    format!(
                        "its {keyword} is {}, and {keyword} asks for {}",
                        text(shown.join(":")),
                        text(own.join(":"))
                    )
                })
            },
        )
    }

    fn mismatch_of_device(&self, found: &MountEntry) -> Result<Option<String>> {
        match block::find(self.source) {
            Ok(Some(device)) if device.path != found.source => {
                Ok(Some(format!("it is on {}, and dev leads to {}", found.source, device.path)))
            }
            // Two devices have the label.
            Err(CapabilityError::Invalid(why)) => Ok(Some(why)),
            // A device that the grants do not name any more, or none: then the host decides.
            Ok(_) | Err(CapabilityError::Denied(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether another directory of the file system is mounted: a subvolume, or what a bind mount shows.
    fn mismatch_of_root(&self, found: &MountEntry) -> Option<String> {
        let root = found.root.trim_start_matches('/');
        let asked = self.asked();
        let by = |keyword: &str| asked.iter().rfind(|(name, _)| *name == keyword).map(|(_, value)| value.as_str());
        if let Some(id) = by("subvolid") {
            let option = format!("subvolid={id}");
            return (!found.options.contains(&option))
                .then(|| format!("it does not show the subvolume with the id {id}"));
        }
        match by("subvol") {
            Some(subvol) if subvol.trim_matches('/') == root => None,
            Some(subvol) if root.is_empty() => {
                Some(format!("it shows the whole file system, and subvol asks for {subvol}"))
            }
            Some(subvol) => Some(format!("it shows {root}, and subvol asks for {subvol}")),
            None if root.is_empty() => None,
            None if self.fstype == "btrfs" => Some(format!("it shows the subvolume {root}, and subvol is not set")),
            None => Some(format!("it shows the directory /{root} of the file system only")),
        }
    }

    /// The keywords that say what is mounted, with their values.
    fn asked(&self) -> Vec<(&'static str, String)> {
        let mut asked = Vec::new();
        if self.fstype != "overlay" {
            asked.push(("dev", self.source.to_owned()));
        }
        for (name, value) in self.options.iter().filter_map(|option| option.split_once('=')) {
            let keyword = match (self.fstype, name) {
                ("overlay", "lowerdir") => "lower",
                ("overlay", "upperdir") => "upper",
                ("overlay", "workdir") => "work",
                ("btrfs", "subvol") => "subvol",
                ("btrfs", "subvolid") => "subvolid",
                _ => continue,
            };
            // The last word wins.
            asked.retain(|(known, _)| *known != keyword);
            asked.push((keyword, value.to_owned()));
        }
        asked
    }

    /// What the value of a keyword leads to. None if that cannot be found out.
    fn leads_to(&self, keyword: &str, value: &str) -> Option<String> {
        match (self.fstype, keyword) {
            ("bind", "dev") => real(value),
            ("overlay", _) => value.split(':').map(real).collect::<Option<Vec<_>>>().map(|layers| layers.join(":")),
            ("tmpfs", _) => None,
            (remote, "dev") if REMOTE.contains(&remote) => Some(value.trim_end_matches('/').to_owned()),
            // Any of its devices stands for the file system.
            ("btrfs", "dev") => Some(block::probe(self.device_of(value)?).ok().flatten()?.uuid),
            (_, "dev") => self.device_of(value),
            _ => Some(value.trim_matches('/').to_owned()),
        }
    }

    /// The kernel's name of the device.
    fn device_of(&self, dev: &str) -> Option<String> {
        self.device.clone().or_else(|| Some(block::find(dev).ok().flatten()?.path))
    }
}

/// What the keywords asked for at the start. None if nothing was remembered.
fn remembered() -> Result<Option<Vec<AskedKeyword>>> {
    let Some(text) = state::get(StateScope::Boot, ASKED)? else { return Ok(None) };
    let texts: Vec<&str> = text.split(SEPARATOR).collect();
    let keywords = texts.chunks_exact(3).filter_map(|three| {
        let [name, value, led_to] = three else { return None };
        Some(AskedKeyword { name: (*name).to_owned(), value: (*value).to_owned(), led_to: (*led_to).to_owned() })
    });
    Ok(Some(keywords.collect()))
}

/// The type without the version of its protocol.
fn family(fstype: &str) -> &str {
    if fstype == "nfs4" { "nfs" } else { fstype }
}

fn real(path: &str) -> Option<String> {
    Some(files::real_path(path).ok().flatten()?.to_string_lossy().into_owned())
}
