//! `files.read = PATH` and `files.write = PATH`: paths of the node.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::definition::{Capability, LinePattern, LineTemplate, patterns};
use crate::bind::binder::{BindFailure, Binder};
use crate::line::address::NameResolution;
use crate::line::attributes::AttributeKind;
use crate::line::check::{LineWords, check_path};
use crate::line::origin::LineOrigin;
use crate::line::path_glob::PathGlob;
use crate::line::rule::GrantRule;
use crate::line::token::{LineFault, Token, TokenPiece, quoted};
use crate::operation::{Access, Operation, RuleMatch};

const READ: Capability = Capability {
    name: "files.read",
    attributes: &[],
    template: |words| Ok(Arc::new(FilesTemplate { path: path_word(words)?, writes: false })),
    verb: |_, tree| if tree { "read all below" } else { "read the path" },
    policy_word: any_path,
    also_decided_by: &["files.write"],
};

const WRITE: Capability = Capability {
    name: "files.write",
    attributes: &[AttributeKind::SetId, AttributeKind::Group],
    template: |words| Ok(Arc::new(FilesTemplate { path: path_word(words)?, writes: true })),
    verb: |_, tree| if tree { "read and write all below" } else { "read and write the path" },
    also_decided_by: &["files.read"],
    ..READ
};

pub(super) static CAPABILITIES: [Capability; 2] = [READ, WRITE];

/// Look at a path. Grant `files.read` or `files.write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPath {
    /// Absolute.
    pub path: PathBuf,
}

/// Make, change or remove a path. Grant `files.write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePath {
    /// Absolute.
    pub path: PathBuf,
}

/// Give a file the right to run as its owner or its group, whoever runs it. Grant `files.write(setid)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetIdFile {
    /// Absolute.
    pub path: PathBuf,
}

/// Give a file to a group that is none of its owner's. Grant `files.write(group=NAME)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveToGroup {
    /// Absolute.
    pub path: PathBuf,
    /// A name or a number, as the caller said.
    pub group: String,
}

/// Look at a directory and everything below it. Grant `files.read` or `files.write` that ends in `/**`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTree {
    /// Absolute.
    pub path: PathBuf,
}

/// Remove a directory and everything below it. Grant `files.write` that ends in `/**`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTree {
    /// Absolute.
    pub path: PathBuf,
}

/// Reads the only word of a line as an absolute path.
pub(super) fn path_word(words: &LineWords<'_>) -> Result<Token, LineFault> {
    let token = words.one("an absolute path")?;
    check_path(token)?;
    Ok(token.clone())
}

/// For [`Capability::policy_word`]: any path, where the first word begins with a keyword.
pub(super) fn any_path(at: usize, first: &TokenPiece) -> Option<&'static str> {
    (at == 0 && matches!(first, TokenPiece::Keyword(_))).then_some("/**")
}

/// Writes a path as a line does.
pub(super) fn path_text(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

#[derive(Debug)]
struct FilesTemplate {
    path: Token,
    writes: bool,
}

impl LineTemplate for FilesTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.path]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        let pattern = |path| FilesPattern { path, writes: self.writes };
        Ok(patterns(binder.paths(&self.path)?.into_iter().map(pattern)))
    }

    fn is_tree(&self) -> bool {
        self.path.pieces.last() == Some(&TokenPiece::DoubleStar)
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        // A path that begins with a keyword is the configuration's word.
        let is_literal = matches!(self.path.pieces.first(), Some(TokenPiece::Literal(_)));
        let spell = |piece: &TokenPiece| match piece {
            TokenPiece::Literal(text) => text.clone(),
            TokenPiece::DoubleStar => "**".to_owned(),
            _ => "*".to_owned(),
        };
        let spelled = || self.path.pieces.iter().map(spell).collect::<String>();
        if self.writes && is_literal { system_path(&spelled()) } else { None }
    }
}

#[derive(Debug)]
struct FilesPattern {
    path: PathGlob,
    writes: bool,
}

impl LinePattern for FilesPattern {
    fn example(&self) -> Option<Box<dyn Operation>> {
        let path = PathBuf::from(self.path.literal().filter(|_| !self.path.is_tree())?);
        Some(if self.writes { Box::new(WritePath { path }) } else { Box::new(ReadPath { path }) })
    }

    fn may_meet(&self, policy: &dyn LinePattern) -> bool {
        let other: &dyn Any = policy;
        other.downcast_ref::<FilesPattern>().is_none_or(|other| self.path.may_meet(&other.path))
    }

    fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        Some(Arc::new(FilesPattern { path: self.path.relocated(follow)?, writes: self.writes }))
    }

    fn is_tree(&self) -> bool {
        self.path.is_tree()
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        if self.writes { system_path(&self.path.to_string()) } else { None }
    }
}

impl fmt::Display for FilesPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// The path of a line about files without stars, whether it is all below it, and whether it may be written.
pub(crate) fn files_of(rule: &GrantRule) -> Option<(PathBuf, bool, bool)> {
    let own = rule.pattern::<FilesPattern>()?;
    Some((own.path.literal()?.into(), own.path.is_tree(), own.writes))
}

/// Why writing to the path, or below it, is as good as root. A star stands for whatever makes it so.
fn system_path(path: &str) -> Option<&'static str> {
    // All that root runs, loads or obeys, and all that stands for the kernel.
    const SYSTEM_TREES: [&str; 28] = [
        "bin",
        "boot",
        "dev",
        "efi",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "proc",
        "root",
        "run/containerd",
        "run/dbus",
        "run/systemd",
        "run/udev",
        "sbin",
        "sys",
        "usr",
        "var/cache/hostler",
        "var/lib/containerd",
        "var/lib/containers",
        "var/lib/docker",
        "var/lib/dpkg",
        "var/lib/hostler/drivers",
        "var/lib/polkit-1",
        "var/lib/systemd",
        "var/spool/at",
        "var/spool/cron",
    ];
    let own: Vec<&str> = path.split('/').skip(1).collect();
    let touches = |tree: &&str| {
        let mut components = own.iter();
        for part in tree.split('/') {
            match components.next() {
                Some(&"**") => return true,
                Some(own) if *own == part || own.contains('*') => {}
                // Above it: what stands there can still be put in another's place only by a line that ends in stars.
                _ => return false,
            }
        }
        true
    };
    let is_root = own.first().is_none_or(|first| first.is_empty());
    (is_root || SYSTEM_TREES.iter().any(touches)).then_some("a driver that writes there can become root")
}

impl Operation for ReadPath {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(ReadPath { path: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("files.read = {}", path_text(&self.path))
    }
}

impl RuleMatch for ReadPath {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.path.matches(&self.path))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.is(&READ) && self.is_covered_by(rule, names)
    }
}

impl Operation for WritePath {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(WritePath { path: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("files.write = {}", path_text(&self.path))
    }
}

impl RuleMatch for WritePath {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.writes && own.path.matches(&self.path))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.path.matches(&self.path))
    }
}

impl Operation for SetIdFile {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(SetIdFile { path: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("files.write(setid) = {}", path_text(&self.path))
    }
}

impl RuleMatch for SetIdFile {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        let own = rule.pattern::<FilesPattern>().filter(|_| rule.attributes.set_id);
        own.is_some_and(|own| own.writes && own.path.matches(&self.path))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.path.matches(&self.path))
    }
}

impl Operation for GiveToGroup {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(WritePath { path: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("files.write(group={}) = {}", quoted(&self.group), path_text(&self.path))
    }
}

impl RuleMatch for GiveToGroup {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        let own = rule.pattern::<FilesPattern>().filter(|_| rule.attributes.allow_group(Some(&self.group)));
        own.is_some_and(|own| own.writes && own.path.matches(&self.path))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.path.matches(&self.path))
    }

    /// The group stands in its own line.
    fn shows_attributes(&self) -> bool {
        false
    }
}

impl Operation for ReadTree {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(ReadTree { path: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("files.read = {}/**", path_text(&self.path))
    }
}

impl RuleMatch for ReadTree {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.path.matches_tree(&self.path))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.is(&READ) && rule.pattern::<FilesPattern>().is_some_and(|own| own.path.touches_tree(&self.path))
    }
}

impl Operation for WriteTree {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(WriteTree { path: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("files.write = {}/**", path_text(&self.path))
    }
}

impl RuleMatch for WriteTree {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.writes && own.path.matches_tree(&self.path))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<FilesPattern>().is_some_and(|own| own.path.touches_tree(&self.path))
    }
}
