//! The keywords of the core, as data: those of objects, of every resource, and of node.conf. The drivers' keywords come from
//! their manifests.

mod ancestor;
mod deprecated;
mod node;
mod object;
mod pool;
mod resource;

pub(crate) use ancestor::{AncestorEffect, AncestorKeyword, REFERENCES, SECTIONS, ancestor_driver, ancestor_keyword};
pub(crate) use deprecated::{
    ALWAYS_ON, AUTOSTART_NODE, RETIRED, RenamedSection, old_names, renamed_keyword, renamed_section, renamed_type,
};
pub use node::{compliance, driver, hook, listener, node, stats};
pub use object::{default, subset, user, volume};
pub use pool::pool;
pub(crate) use pool::{DRBD as DRBD_POOL, PREFIX as POOL_PREFIX};
pub use resource::resource;

use model::keyword::Keyword;

/// Whether a section of a resource has a keyword of this name that is the core's.
pub fn is_of_core(name: &str) -> bool {
    resource().iter().any(|keyword| keyword.name == name)
}

/// One list of several. The keywords are moved: each holds texts, and a copy of sixty of them takes as long as to make them.
fn all_of<const N: usize>(lists: [Vec<Keyword>; N]) -> Vec<Keyword> {
    lists.into_iter().flatten().collect()
}
