//! The attributes of a line, in parentheses behind its capability: `exec(read, user=www) = …`.

use std::collections::BTreeSet;
use std::fmt;

use crate::bind::binder::{BindFailure, Binder};
use crate::guard::SocketGuard;
use crate::line::glob::Glob;
use crate::line::linux_capabilities::{ALL_CAPS, CAPS};
use crate::line::token::{LineFault, Token};
use crate::line::tokenizer::tokens;

/// An attribute that the lines of a capability may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttributeKind {
    /// `read`: the line allows looking only.
    LooksOnly,
    /// `read`: the author declares that the program changes nothing, so `status` may run it too.
    ChangesNothing,
    /// `caps=cap_a+cap_b`
    Caps,
    /// `user=NAME`
    User,
    /// `guard=container`
    Guard,
    /// `root_equivalent`
    RootEquivalent,
}

/// The attributes of a line, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LineAttributes {
    /// `read`: only what changes nothing.
    pub(crate) read: bool,
    /// `caps=cap_a+cap_b`, `caps=all`: the capabilities(7) that the program keeps.
    pub(crate) caps: BTreeSet<String>,
    /// `user=NAME`: the program runs as this user.
    pub(crate) user: Option<Token>,
    /// `guard=container`: the guard that judges each request.
    pub(crate) guard: Option<SocketGuard>,
    /// `root_equivalent`: the author declares that the line makes the driver root.
    pub(crate) root_equivalent: bool,
}

/// The attributes of a rule: a template has no place in them any more.
#[derive(Debug, Clone)]
pub(crate) struct RuleAttributes {
    pub(crate) read: bool,
    pub(crate) caps: BTreeSet<String>,
    pub(crate) user: Option<Glob>,
    pub(crate) guard: Option<SocketGuard>,
    pub(crate) root_equivalent: bool,
}

impl LineAttributes {
    /// Reads what stands between the parentheses. `column` is the column of its first character.
    pub(crate) fn parse(
        text: &str,
        column: usize,
        capability: &str,
        kinds: &[AttributeKind],
    ) -> Result<LineAttributes, LineFault> {
        let mut attributes = LineAttributes::default();
        let mut column = column;
        // Splitting an empty text would give one empty attribute.
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let blank = part.chars().take_while(|c| c.is_whitespace()).count();
            let read = attributes.read_one(part.trim(), kinds);
            read.map_err(|reason| {
                let unknown = || format!("{capability} has no attribute {:?}", part.trim());
                LineFault::new(column + blank, reason.unwrap_or_else(unknown))
            })?;
            column += part.chars().count() + 1;
        }
        Ok(attributes)
    }

    /// Reads one attribute. The error is `None` if the capability has no such attribute.
    fn read_one(&mut self, text: &str, kinds: &[AttributeKind]) -> Result<(), Option<String>> {
        use AttributeKind as Kind;
        let has = |kind| kinds.contains(&kind);
        match text.split_once('=') {
            None if text == "read" && (has(Kind::LooksOnly) || has(Kind::ChangesNothing)) => self.read = true,
            None if text == "root_equivalent" && has(Kind::RootEquivalent) => self.root_equivalent = true,
            Some(("caps", names)) if has(Kind::Caps) => {
                // An unknown name is most likely mistyped, and the program would run without it.
                for name in names.split('+') {
                    if !CAPS.contains(&name) {
                        return Err(Some(format!(
                            "unknown capability {name:?}: expected all, or a name of capabilities(7) such as cap_net_admin"
                        )));
                    }
                    self.caps.insert(name.to_owned());
                }
            }
            Some(("guard", name)) if has(Kind::Guard) => {
                let guard =
                    SocketGuard::parse(name).ok_or_else(|| format!("unknown guard {name:?}: expected container"))?;
                self.guard = Some(guard);
            }
            Some(("user", name)) if has(Kind::User) => match &tokens(name, 1).map_err(|fault| fault.reason)?[..] {
                [token] => self.user = Some(token.clone()),
                _ => return Err(Some("expected user=NAME".to_owned())),
            },
            _ => return Err(None),
        }
        Ok(())
    }

    /// Fills in the template of the user.
    pub(crate) fn bind(&self, binder: &Binder<'_>) -> Result<RuleAttributes, BindFailure> {
        Ok(RuleAttributes {
            read: self.read,
            caps: self.caps.clone(),
            user: self.user.as_ref().map(|user| binder.single(user)).transpose()?,
            guard: self.guard,
            root_equivalent: self.root_equivalent,
        })
    }
}

impl RuleAttributes {
    /// Whether an `allow` line with these attributes keeps all capabilities(7) that a request with the others wants.
    pub(crate) fn keep_caps_of(&self, request: &RuleAttributes) -> bool {
        // `all` in a request is a name like any other here: only an `all` in the policy admits it.
        self.caps.contains(ALL_CAPS) || request.caps.is_subset(&self.caps)
    }

    /// Whether a program may run as this user by the line.
    pub(crate) fn allow_user(&self, user: Option<&str>) -> bool {
        // A line for one user does not allow a program without one, which would run as the agent does.
        self.user.as_ref().is_none_or(|own| user.is_some_and(|user| own.matches(user)))
    }
}

impl fmt::Display for RuleAttributes {
    /// Writes them with their parentheses, or nothing if there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut attributes = Vec::new();
        if self.read {
            attributes.push("read".to_owned());
        }
        if !self.caps.is_empty() {
            let caps: Vec<&str> = self.caps.iter().map(String::as_str).collect();
            attributes.push(format!("caps={}", caps.join("+")));
        }
        if let Some(user) = &self.user {
            attributes.push(format!("user={user}"));
        }
        if let Some(guard) = self.guard {
            attributes.push(format!("guard={guard}"));
        }
        if self.root_equivalent {
            attributes.push("root_equivalent".to_owned());
        }
        if attributes.is_empty() { Ok(()) } else { write!(f, "({})", attributes.join(", ")) }
    }
}
