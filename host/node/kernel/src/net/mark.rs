//! Whose a link is: written into its alias, which goes with it from one namespace to another, see ip-link(8).

use crate::net::NetworkLink;

/// The longest alias that we write, well below IFALIASZ.
const MAX_ALIAS: usize = 200;

/// What stands between the parts of an alias.
const SEPARATOR: &str = " | ";

/// The owner of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMark {
    id: String,
    owner: String,
}

/// How a link of the node was before it was lent to a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LentLink {
    pub(super) up: bool,
    pub(super) alias: String,
}

impl LinkMark {
    /// `scope` and `owner` together are unlike those of any other owner; people see `owner`.
    pub fn new(scope: &str, owner: &str) -> LinkMark {
        LinkMark { id: format!("{:012x}", fnv1a(&format!("{scope}\0{owner}")) >> 16), owner: owner.to_owned() }
    }

    /// The name of the end of a pair that stays on the node.
    pub(super) fn near(&self) -> String {
        format!("hl{}", self.id)
    }

    /// The name of a link until it is where it belongs.
    pub(super) fn far(&self) -> String {
        format!("hr{}", self.id)
    }

    pub(super) fn alias(&self) -> String {
        cut(format!("{}{}", self.prefix(), self.owner.replace(SEPARATOR, " ")))
    }

    /// The alias of a link that must be given back.
    pub(super) fn alias_of_lent(&self, link: &NetworkLink) -> String {
        let up = if link.up { "up" } else { "down" };
        cut([self.alias(), format!("{} {up}", link.name), link.alias.clone()].join(SEPARATOR))
    }

    /// Whether the link is this owner's. A link that was just made has no alias yet, but a name that nobody else gives.
    pub fn is_on(&self, link: &NetworkLink) -> bool {
        link.alias.starts_with(&self.prefix()) || link.name == self.near() || link.name == self.far()
    }

    fn prefix(&self) -> String {
        format!("hostler {} ", self.id)
    }
}

/// What the alias says of a link that was lent, if it was. Its name is not taken from there, nor anything that matters.
pub(super) fn lent(link: &NetworkLink) -> Option<LentLink> {
    let mut parts = link.alias.splitn(3, SEPARATOR).skip(1);
    let up = parts.next()?.ends_with(" up");
    Some(LentLink { up, alias: parts.next().unwrap_or_default().to_owned() })
}

fn cut(mut alias: String) -> String {
    while alias.len() > MAX_ALIAS {
        alias.pop();
    }
    alias
}

/// The hash of Fowler, Noll and Vo: the same in every release of the compiler, which std's is not.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, alias: &str) -> NetworkLink {
        NetworkLink { name: name.to_owned(), alias: alias.to_owned(), up: true, ..NetworkLink::default() }
    }

    #[test]
    fn a_mark_is_its_owners_alone() {
        let (mark, other) = (LinkMark::new("/run/web", "web ip#1"), LinkMark::new("/run/web", "web ip#2"));
        assert!(mark.is_on(&link("eth0", &mark.alias())) && mark.is_on(&link(&mark.near(), "")));
        assert!(!mark.is_on(&link("eth0", &other.alias())) && !mark.is_on(&link("eth0", "")));
        assert_ne!(LinkMark::new("/run/other", "web ip#1").near(), mark.near());
        assert!(mark.near().len() < 16 && mark.far().len() < 16);
    }

    #[test]
    fn a_lent_link_tells_what_it_was() {
        let mark = LinkMark::new("", "web ip#1");
        for old in ["", "uplink | rack 3"] {
            let lent_link = link("eth0", &mark.alias_of_lent(&link("eth7", old)));
            assert!(mark.is_on(&lent_link));
            assert_eq!(lent(&lent_link), Some(LentLink { up: true, alias: old.to_owned() }));
        }
        assert_eq!(lent(&link("eth0", &mark.alias())), None);
    }
}
