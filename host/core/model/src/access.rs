//! Who may do what: roles, and the grants that give them in namespaces. The grammar is OpenSVC's: `admin:ns1 operator:ns2 guest:*`.

use std::fmt;
use std::str::FromStr;

use crate::select::GlobPattern;

/// What a user may do. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessRole {
    /// Sees the objects of a namespace, their states and their events.
    Guest,
    /// Starts, stops, provisions and freezes them.
    Operator,
    /// Makes, changes and deletes them.
    Admin,
    /// May do everything, on the node itself too. It has no namespace.
    Root,
}

impl AccessRole {
    /// Every role, from the least to the greatest.
    pub const ALL: [AccessRole; 4] = [AccessRole::Guest, AccessRole::Operator, AccessRole::Admin, AccessRole::Root];

    /// As it stands in a grant.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessRole::Guest => "guest",
            AccessRole::Operator => "operator",
            AccessRole::Admin => "admin",
            AccessRole::Root => "root",
        }
    }
}

impl fmt::Display for AccessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The roles of OpenSVC that give nothing here.
const UNSUPPORTED: [&str; 6] = ["squatter", "prioritizer", "blacklistadmin", "heartbeat", "join", "leave"];

/// A role in the namespaces that a pattern names.
#[derive(Debug, Clone)]
pub struct RoleGrant {
    role: AccessRole,
    /// None: every namespace.
    namespaces: Option<GlobPattern>,
}

/// Why a word is not a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrant {
    #[error("{0:?} is no grant: expected root, admin[:NAMESPACE], operator[:NAMESPACE] or guest[:NAMESPACE]")]
    Form(String),
    #[error("{0:?} is no grant: root holds everywhere and takes no namespace")]
    Root(String),
    /// OpenSVC has it.
    #[error("the role {0} is not supported here, and gives nothing")]
    Unsupported(String),
}

impl FromStr for RoleGrant {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<RoleGrant, InvalidGrant> {
        let (role, pattern) = match text.split_once(':') {
            Some((role, pattern)) => (role, Some(pattern)),
            None => (text, None),
        };
        if UNSUPPORTED.contains(&role) {
            return Err(InvalidGrant::Unsupported(role.to_owned()));
        }
        let invalid = || InvalidGrant::Form(text.to_owned());
        let role = AccessRole::ALL.into_iter().find(|known| known.as_str() == role).ok_or_else(invalid)?;
        let namespaces = match pattern {
            Some(_) if role == AccessRole::Root => return Err(InvalidGrant::Root(text.to_owned())),
            Some("") => return Err(invalid()),
            Some(pattern) => Some(GlobPattern::new(pattern).map_err(|_| invalid())?),
            None => None,
        };
        Ok(RoleGrant { role, namespaces })
    }
}

impl fmt::Display for RoleGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespaces {
            Some(pattern) => write!(f, "{}:{}", self.role, pattern.as_str()),
            None => write!(f, "{}", self.role),
        }
    }
}

impl RoleGrant {
    /// Whether it gives at least this role in a namespace.
    fn gives(&self, role: AccessRole, namespace: &str) -> bool {
        self.role >= role && self.namespaces.as_ref().is_none_or(|pattern| pattern.matches(namespace))
    }
}

/// All grants of a user.
#[derive(Debug, Clone, Default)]
pub struct RoleGrants(Vec<RoleGrant>);

impl RoleGrants {
    /// Those of root.
    pub fn root() -> RoleGrants {
        RoleGrants(vec![RoleGrant { role: AccessRole::Root, namespaces: None }])
    }

    /// Those that some words give. A word that is no grant gives nothing: whoever checks the text reports it.
    pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> RoleGrants {
        RoleGrants(words.into_iter().filter_map(|word| word.parse().ok()).collect())
    }

    /// Whether they give at least this role in a namespace.
    pub fn give(&self, role: AccessRole, namespace: &str) -> bool {
        self.0.iter().any(|grant| grant.gives(role, namespace))
    }

    /// Whether they are those of root.
    pub fn is_root(&self) -> bool {
        self.0.iter().any(|grant| grant.role == AccessRole::Root)
    }

    /// Whether they give nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As words.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_the_lesser_ones_in_its_namespaces_only() {
        let check = |grants: &str, role: AccessRole, namespace: &str, expected: bool| {
            let given = RoleGrants::of_words(grants.split_whitespace()).give(role, namespace);
            assert_eq!(given, expected, "{grants}: {role} in {namespace}");
        };
        use AccessRole::{Admin, Guest, Operator, Root};
        check("admin:ns1 operator:ns2 guest:*", Admin, "ns1", true);
        check("admin:ns1 operator:ns2 guest:*", Operator, "ns1", true);
        check("admin:ns1 operator:ns2 guest:*", Admin, "ns2", false);
        check("admin:ns1 operator:ns2 guest:*", Guest, "ns3", true);
        check("admin:ns1 operator:ns2 guest:*", Operator, "ns3", false);
        check("operator:ns*", Operator, "ns7", true);
        check("operator:ns*", Operator, "root", false);
        check("admin", Admin, "anything", true);
        check("admin", Root, "anything", false);
        check("root", Root, "anything", true);
        check("", Guest, "ns1", false);
        check("squatter nonsense", Guest, "ns1", false);
    }

    #[test]
    fn what_is_no_grant_says_what_is_expected() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<RoleGrant>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("amdin:ns1", "expected root, admin[:NAMESPACE]");
        check("admin:", "expected root");
        check("root:ns1", "takes no namespace");
        check("squatter", "not supported here");
        assert_eq!("operator:ns*".parse::<RoleGrant>().unwrap().to_string(), "operator:ns*");
    }
}
