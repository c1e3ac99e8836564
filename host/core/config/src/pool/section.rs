//! The sections of pools: which pools a node has, and what each is made of.

use model::ObjectPath;

use crate::diagnostic::Diagnostic;
use crate::document::text::Section;
use crate::keyword::{DRBD_POOL, POOL_PREFIX};
use crate::node::file::eval_node;
use crate::{ConfigKey, Document, NodePlaces};

/// Where the loop files of volumes in memory are, unless the pool says otherwise.
const SHARED_MEMORY: &str = "/dev/shm";

/// What a pool makes volumes of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolKind {
    /// Directories below this one.
    Directory { path: String },
    /// Memory. A volume that is a device is a file below this directory.
    Shm { path: String },
    /// Files below this directory, by loop devices.
    Loop { path: String },
    /// Logical volumes of this group.
    Vg { name: String },
    /// Logical volumes of this group, each replicated by DRBD.
    Drbd { vg: String },
    /// Copies of this object, which can do what these words say.
    Virtual { template: ObjectPath, capabilities: Vec<String> },
}

/// A pool of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// What its volumes are made of.
    pub kind: PoolKind,
    /// The driver of the file systems on its devices.
    pub fs_type: String,
    /// Options of mkfs.
    pub mkfs_opt: Option<String>,
    /// Options of mount(8).
    pub mnt_opt: Option<String>,
    /// Options for the making of its devices.
    pub mkblk_opt: Option<String>,
    /// The directory below which its file systems are mounted.
    pub mnt: String,
}

impl PoolKind {
    /// The word for it in a configuration.
    pub fn as_str(&self) -> &'static str {
        match self {
            PoolKind::Directory { .. } => "directory",
            PoolKind::Shm { .. } => "shm",
            PoolKind::Loop { .. } => "loop",
            PoolKind::Vg { .. } => "vg",
            PoolKind::Drbd { .. } => "drbd",
            PoolKind::Virtual { .. } => "virtual",
        }
    }

    /// What its volumes come out of: a directory, a group, an object.
    pub fn head(&self) -> String {
        match self {
            PoolKind::Directory { path } | PoolKind::Shm { path } | PoolKind::Loop { path } => path.clone(),
            PoolKind::Vg { name } => name.clone(),
            PoolKind::Drbd { vg } => vg.clone(),
            PoolKind::Virtual { template, .. } => template.to_string(),
        }
    }
}

impl Pool {
    /// The pools of these documents, those of the first one first. A name of an earlier document hides the same one of a later
    /// one. Without them, every node has a pool `default` of directories and a pool `shm` of memory.
    ///
    /// A section that cannot be used is an error of `node validate`, and no pool.
    pub fn all(documents: &[&Document], places: &NodePlaces) -> Vec<Pool> {
        let mut pools: Vec<Pool> = Vec::new();
        for document in documents {
            for section in document.sections() {
                let name = section.name.strip_prefix(POOL_PREFIX).filter(|name| !name.is_empty());
                if let Some(pool) = name.and_then(|name| Pool::read(document, &section.name, name, places))
                    && pools.iter().all(|known| known.name != pool.name)
                {
                    pools.push(pool);
                }
            }
        }
        let own = [
            ("default", PoolKind::Directory { path: format!("{}/pool/directory", places.var) }),
            ("shm", PoolKind::Shm { path: SHARED_MEMORY.to_owned() }),
        ];
        let (empty, mut added) = (Document::parse(""), Vec::new());
        for (name, kind) in own {
            let is_written = |document: &&Document| document.section(&format!("{POOL_PREFIX}{name}")).is_some();
            if !documents.iter().any(is_written) {
                added.push(Pool::with(&empty, &format!("{POOL_PREFIX}{name}"), name, kind));
            }
        }
        pools.extend(added);
        pools
    }

    fn read(document: &Document, section: &str, name: &str, places: &NodePlaces) -> Option<Pool> {
        let get = |option: &str| value(document, section, option);
        let path = || get("path").map(|path| path.trim_end_matches('/').to_owned());
        let kind = match get("type")?.as_str() {
            "directory" => {
                PoolKind::Directory { path: path().unwrap_or_else(|| format!("{}/pool/directory", places.var)) }
            }
            "shm" => PoolKind::Shm { path: path().unwrap_or_else(|| SHARED_MEMORY.to_owned()) },
            "loop" => PoolKind::Loop { path: path()? },
            "vg" => PoolKind::Vg { name: get("name")? },
            DRBD_POOL => PoolKind::Drbd { vg: get("vg")? },
            "virtual" => PoolKind::Virtual {
                template: get("template")?.parse().ok()?,
                capabilities: get("capabilities").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            },
            _ => return None,
        };
        Some(Pool::with(document, section, name, kind))
    }

    fn with(document: &Document, section: &str, name: &str, kind: PoolKind) -> Pool {
        let get = |option: &str| value(document, section, option);
        Pool {
            name: name.to_owned(),
            kind,
            fs_type: get("fs_type").unwrap_or_default(),
            mkfs_opt: get("mkfs_opt"),
            mnt_opt: get("mnt_opt"),
            mkblk_opt: get("mkblk_opt"),
            mnt: get("mnt").unwrap_or_default().trim_end_matches('/').to_owned(),
        }
    }
}

/// The value of a keyword, or its default. None if it is not set, or wrong.
fn value(document: &Document, section: &str, option: &str) -> Option<String> {
    let evaluated = eval_node(document, &ConfigKey::new(section, option)).ok()?;
    Some(evaluated.values.join(" ")).filter(|value| !value.is_empty())
}

/// The keywords that a pool of each type needs.
const NEEDED: [(&str, &str); 4] = [("loop", "path"), ("vg", "name"), (DRBD_POOL, "vg"), ("virtual", "template")];

/// A pool without a type, or without what its type needs, gives no volumes.
pub(crate) fn incomplete_pool(document: &Document, section: &Section) -> Vec<Diagnostic> {
    if !section.name.starts_with(POOL_PREFIX) {
        return Vec::new();
    }
    let missing = |option: &str, label: String| {
        vec![Diagnostic::error(section.name_span, format!("[{}] has no {option}", section.name), label)]
    };
    let Some(kind) = document.get(&section.name, "type") else {
        return missing("type", "expected type = directory, shm, loop, vg, drbd or virtual".to_owned());
    };
    let needed = NEEDED.iter().find(|(of, _)| *of == kind).map(|(_, option)| option);
    let problem = needed.filter(|option| document.get(&section.name, option).is_none_or(str::is_empty));
    let problem = problem.map(|option| missing(option, format!("a pool of type {kind} needs {option}")));
    let template = || {
        let entry = document.entry(&section.name, "template").filter(|_| kind == "virtual")?;
        let parsed = entry.value.parse::<ObjectPath>().map_err(|error| error.to_string());
        let reason = match parsed {
            Ok(path) if path.kind() == model::ObjectKind::Vol => return None,
            Ok(path) => format!("{path} is an object of kind {}", path.kind()),
            Err(reason) => reason,
        };
        Some(vec![Diagnostic::error(
            entry.value_span,
            reason,
            "expected the path of a vol, such as templates/vol/small",
        )])
    };
    problem.or_else(template).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_the_pools_that_are_written_and_two_of_its_own() {
        let node = Document::parse(
            "[pool#fast]\ntype = vg\nname = vg0\nfs_type = ext4\n[pool#shm]\ntype = shm\nmnt_opt = mode=0755\n\
             [pool#broken]\ntype = loop\n",
        );
        let cluster = Document::parse("[pool#fast]\ntype = directory\n[pool#img]\ntype = loop\npath = /srv/img/\n");
        let pools = Pool::all(&[&node, &cluster], &NodePlaces::default());
        let shown: Vec<String> =
            pools.iter().map(|pool| format!("{} {} {}", pool.name, pool.kind.as_str(), pool.kind.head())).collect();
        let expected = [
            "fast vg vg0",
            "shm shm /dev/shm",
            "img loop /srv/img",
            "default directory /var/lib/hostler/pool/directory",
        ];
        assert_eq!(shown, expected);
        assert_eq!((pools[0].fs_type.as_str(), pools[2].fs_type.as_str()), ("ext4", "xfs"));
        assert_eq!(pools[1].mnt_opt.as_deref(), Some("mode=0755"));
    }
}
