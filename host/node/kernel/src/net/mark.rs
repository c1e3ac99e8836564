//! The owner of a link, written into its alias: the alias goes along when the link moves to another namespace, see
//! ip-link(8).

use crate::net::NetworkLink;

/// The longest alias that is written, well below IFALIASZ.
const MAX_ALIAS: usize = 200;

/// The text between the parts of an alias.
const SEPARATOR: &str = " | ";

/// The owner of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMark {
    id: String,
    owner: String,
}

/// The state that a link of the node had before it was lent to a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LentLink {
    pub(super) up: bool,
    pub(super) alias: String,
}

impl LinkMark {
    /// The mark of an owner. `scope` and `owner` together must be unique; people see `owner` in the alias.
    pub fn new(scope: &str, owner: &str) -> LinkMark {
        LinkMark { id: format!("{:012x}", fnv1a(&format!("{scope}\0{owner}")) >> 16), owner: owner.to_owned() }
    }

    /// The name of the end of a veth pair that stays on the node.
    pub(super) fn near(&self) -> String {
        format!("hl{}", self.id)
    }

    /// The name of a link on its way into the namespace.
    pub(super) fn far(&self) -> String {
        format!("hr{}", self.id)
    }

    pub(super) fn alias(&self) -> String {
        cut(format!("{}{}", self.prefix(), self.owner.replace(SEPARATOR, " ")))
    }

    /// The alias of a link that must be given back as it was.
    pub(super) fn alias_of_lent(&self, link: &NetworkLink) -> String {
        let up = if link.up { "up" } else { "down" };
        cut([self.alias(), format!("{} {up}", link.name), link.alias.clone()].join(SEPARATOR))
    }

    /// Whether the link is this owner's. A link that was just made has no alias yet, but a name that only this owner gives.
    pub fn is_on(&self, link: &NetworkLink) -> bool {
        link.alias.starts_with(&self.prefix()) || link.name == self.near() || link.name == self.far()
    }

    /// What every alias of the owner begins with.
    pub fn prefix(&self) -> String {
        format!("hostler {} ", self.id)
    }
}

/// The former state in the alias of a link that was lent. Root in the namespace can write the alias, so nothing that
/// matters, such as the name to give back, is read from it.
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

/// The hash of Fowler, Noll and Vo. Unlike std's, it is the same in every release of the compiler: marks outlive the agent.
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
    fn a_mark_belongs_to_one_owner() {
        let (mark, other) = (LinkMark::new("/run/web", "web ip#1"), LinkMark::new("/run/web", "web ip#2"));
        assert!(mark.is_on(&link("eth0", &mark.alias())) && mark.is_on(&link(&mark.near(), "")));
        assert!(!mark.is_on(&link("eth0", &other.alias())) && !mark.is_on(&link("eth0", "")));
        assert_ne!(LinkMark::new("/run/other", "web ip#1").near(), mark.near());
        assert!(mark.near().len() < 16 && mark.far().len() < 16);
    }

    #[test]
    fn the_alias_of_a_lent_link_holds_its_former_state() {
        let mark = LinkMark::new("", "web ip#1");
        for old in ["", "uplink | rack 3"] {
            let lent_link = link("eth0", &mark.alias_of_lent(&link("eth7", old)));
            assert!(mark.is_on(&lent_link));
            assert_eq!(lent(&lent_link), Some(LentLink { up: true, alias: old.to_owned() }));
        }
        assert_eq!(lent(&link("eth0", &mark.alias())), None);
    }
}
