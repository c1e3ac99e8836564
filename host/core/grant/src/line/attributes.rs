//! The attributes of a line, in parentheses behind its capability: `exec(read, user=www) = …`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::bind::binder::{BindFailure, Binder};
use crate::guard::SocketGuard;
use crate::line::check::check_path;
use crate::line::glob::Glob;
use crate::line::linux_capabilities::{ALL_CAPS, CAPS};
use crate::line::path_glob::PathGlob;
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
    /// `group=NAME`
    Group,
    /// `cwd=PATH`
    WorkingDirectory,
    /// `env=NAME+NAME`
    Environment,
    /// `setid`
    SetId,
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
    /// `group=NAME`: the program may run with this group, though it is none of its user's; the file may be given to it.
    pub(crate) group: Option<Token>,
    /// `cwd=PATH`: the program may run in this directory.
    pub(crate) cwd: Option<Token>,
    /// `env=NAME+NAME`: a program of root may have these variables of the configuration's.
    pub(crate) env: BTreeSet<String>,
    /// `setid`: the file may run as its owner or its group.
    pub(crate) set_id: bool,
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
    pub(crate) group: Option<Glob>,
    pub(crate) cwd: Vec<PathGlob>,
    pub(crate) env: BTreeSet<String>,
    pub(crate) set_id: bool,
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
            Some(("env", names)) if has(Kind::Environment) => {
                for name in names.split('+') {
                    if name != ANY_VARIABLE && !is_variable(name) {
                        return Err(Some(format!(
                            "{name:?} is not a name of an environment variable: expected env=NAME+NAME, or env=*"
                        )));
                    }
                    self.env.insert(name.to_owned());
                }
            }
            Some(("guard", name)) if has(Kind::Guard) => {
                let guard =
                    SocketGuard::parse(name).ok_or_else(|| format!("unknown guard {name:?}: expected container"))?;
                self.guard = Some(guard);
            }
            None if text == "setid" && has(Kind::SetId) => self.set_id = true,
            Some(("user", name)) if has(Kind::User) => self.user = Some(one_word(name, "user=NAME")?),
            Some(("group", name)) if has(Kind::Group) => self.group = Some(one_word(name, "group=NAME")?),
            Some(("cwd", path)) if has(Kind::WorkingDirectory) => {
                let token = one_word(path, "cwd=PATH")?;
                check_path(&token).map_err(|fault| fault.reason)?;
                self.cwd = Some(token);
            }
            _ => return Err(None),
        }
        Ok(())
    }

    /// The words in which templates and stars can stand.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.user.iter().chain(&self.group).chain(&self.cwd)
    }

    /// Fills in the templates. A group or a directory that a keyword names which is not set is none.
    pub(crate) fn bind(&self, binder: &Binder<'_>) -> Result<RuleAttributes, BindFailure> {
        let group = self.group.as_ref().map(|group| binder.single(group)).transpose();
        let cwd = self.cwd.as_ref().map(|cwd| binder.paths(cwd)).transpose();
        Ok(RuleAttributes {
            group: or_absent(group)?.flatten(),
            cwd: or_absent(cwd)?.flatten().unwrap_or_default(),
            env: self.env.clone(),
            set_id: self.set_id,
            read: self.read,
            caps: self.caps.clone(),
            // Not `or_absent`: a line without a user leaves it to the driver (`allow_user`). A user who is not set
            // makes the line none at all.
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

    /// Whether a program may run with this group, which is none of its user's.
    pub(crate) fn allow_group(&self, group: Option<&str>) -> bool {
        group.is_none_or(|group| self.group.as_ref().is_some_and(|own| own.matches(group)))
    }

    /// Whether a program may run in this directory.
    pub(crate) fn allow_cwd(&self, cwd: Option<&Path>) -> bool {
        cwd.is_none_or(|cwd| self.cwd.iter().any(|own| own.matches(cwd)))
    }
}

/// In `env=`: any variable but those that make programs load code or look for their settings elsewhere.
pub(crate) const ANY_VARIABLE: &str = "*";

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The only word of an attribute's value.
fn one_word(value: &str, expected: &str) -> Result<Token, Option<String>> {
    match &tokens(value, 1).map_err(|fault| fault.reason)?[..] {
        [token] => Ok(token.clone()),
        _ => Err(Some(format!("expected {expected}"))),
    }
}

fn or_absent<T>(bound: Result<T, BindFailure>) -> Result<Option<T>, BindFailure> {
    match bound {
        Ok(bound) => Ok(Some(bound)),
        Err(BindFailure::Absent) => Ok(None),
        Err(illegal) => Err(illegal),
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
        if let Some(group) = &self.group {
            attributes.push(format!("group={group}"));
        }
        attributes.extend(self.cwd.iter().map(|cwd| format!("cwd={cwd}")));
        if !self.env.is_empty() {
            let names: Vec<&str> = self.env.iter().map(String::as_str).collect();
            attributes.push(format!("env={}", names.join("+")));
        }
        if self.set_id {
            attributes.push("setid".to_owned());
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
