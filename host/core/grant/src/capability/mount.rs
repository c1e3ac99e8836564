//! `mount = FSTYPE SOURCE on TARGET`: mounts of the node.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::definition::{Capability, LinePattern, LineTemplate, patterns};
use super::files::{ReadPath, ReadTree, WritePath, WriteTree, path_text};
use super::mount_option::{self, MountFreedom, MountOption};
use crate::bind::binder::{BindFailure, Binder};
use crate::line::address::NameResolution;
use crate::line::check::{LineWords, check_path, check_source, check_word};
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::path_glob::PathGlob;
use crate::line::rule::GrantRule;
use crate::line::source::SourcePattern;
use crate::line::token::{LineFault, Token, TokenPiece, quoted};
use crate::operation::{Access, Operation, RuleMatch, SideEffect};

pub(super) static CAPABILITIES: [Capability; 1] = [Capability {
    name: "mount",
    attributes: &[],
    template: |words| Ok(Arc::new(MountTemplate::parse(words)?)),
    verb: |_, _| "mount and unmount",
    policy_word: |at, first| (at == 3 && matches!(first, TokenPiece::Keyword(_))).then_some("/**"),
    also_decided_by: &[],
}];

/// Look at what is mounted on a target. Grant `mount`, of any source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeMount {
    /// The mount point.
    pub target: PathBuf,
}

/// Mount. Grant `mount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountFilesystem {
    /// As in /proc/filesystems, or `bind`.
    pub fstype: String,
    /// A device, a directory, or a word.
    pub source: String,
    /// The mount point.
    pub target: PathBuf,
    /// As in mount(8), each read once.
    pub options: Vec<MountOption>,
    /// Whose mount it is.
    pub freedom: MountFreedom,
    /// Whether the source of a bind mount is a file, and not a directory with all below it.
    pub binds_file: bool,
}

/// Take on a mount that is there, and whose source is only a name in the list of mounts. Grant `mount`, of any source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptWithoutSource {
    /// As in /proc/filesystems.
    pub fstype: String,
    /// The mount point.
    pub target: PathBuf,
}

/// Unmount. Grant `mount`, of any source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmountTarget {
    /// The mount point.
    pub target: PathBuf,
}

#[derive(Debug)]
struct MountTemplate {
    fstype: Token,
    source: Token,
    target: Token,
}

impl MountTemplate {
    fn parse(words: &LineWords<'_>) -> Result<MountTemplate, LineFault> {
        let [fstype, source, on, target] = words.tokens else {
            return Err(words.expected("FSTYPE SOURCE on TARGET"));
        };
        if !on.is_word("on") {
            return Err(on.fault("expected on"));
        }
        check_word(fstype)?;
        check_source(source)?;
        check_path(target)?;
        Ok(MountTemplate { fstype: fstype.clone(), source: source.clone(), target: target.clone() })
    }
}

impl LineTemplate for MountTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.fstype, &self.source, &self.target]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        // The target is bound first: only a device in it, and not one in the source, is noted here.
        let targets = binder.paths(&self.target)?;
        let target_is_unowned = binder.has_unowned();
        let fstype = binder.single(&self.fstype)?;
        let sources = SourcePattern::bind(&self.source, binder)?;
        let pattern = |target: &PathGlob, source: &SourcePattern| MountPattern {
            fstype: fstype.clone(),
            sources: vec![source.clone()],
            targets: vec![target.clone()],
            target_is_unowned,
        };
        let pairs = targets.iter().flat_map(|target| sources.iter().map(move |source| (target, source)));
        Ok(patterns(pairs.map(|(target, source)| pattern(target, source))))
    }
}

#[derive(Debug)]
struct MountPattern {
    fstype: Glob,
    /// As the line names the source, and behind that where links lead from it.
    sources: Vec<SourcePattern>,
    /// The same of the mount point. A mount may meet a line by the name of the one and by the place of the other.
    targets: Vec<PathGlob>,
    /// Whether the mount point comes from a resource that does not own it. That resource would otherwise choose what is
    /// unmounted.
    target_is_unowned: bool,
}

impl LinePattern for MountPattern {
    fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        let sources: Vec<_> = self.sources.iter().filter_map(|source| source.relocated(follow)).collect();
        let targets: Vec<_> = self.targets.iter().filter_map(|target| target.relocated(follow)).collect();
        if sources.is_empty() && targets.is_empty() {
            return None;
        }
        Some(Arc::new(MountPattern {
            fstype: self.fstype.clone(),
            sources: self.sources.iter().cloned().chain(sources).collect(),
            targets: self.targets.iter().cloned().chain(targets).collect(),
            target_is_unowned: self.target_is_unowned,
        }))
    }
}

impl MountPattern {
    fn is_on(&self, path: &Path) -> bool {
        self.targets.iter().any(|target| target.matches(path))
    }
}

impl fmt::Display for MountPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The last ones say where links lead.
        let (source, target) = (self.sources.last(), self.targets.last());
        let (Some(source), Some(target)) = (source, target) else { return Ok(()) };
        write!(f, "{} {source} on {target}", self.fstype)
    }
}

impl Operation for SeeMount {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(SeeMount { target: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("mount = * * on {}", path_text(&self.target))
    }
}

impl RuleMatch for SeeMount {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<MountPattern>().is_some_and(|own| own.is_on(&self.target))
    }

    fn is_forbidden_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
        false
    }

    fn is_allowed_with_unowned(&self, rule: &GrantRule) -> bool {
        rule.pattern::<MountPattern>().is_some_and(|own| !own.target_is_unowned)
    }
}

impl Operation for UnmountTarget {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(UnmountTarget { target: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("mount = * * on {}", path_text(&self.target))
    }
}

impl RuleMatch for UnmountTarget {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        // Of any source: what is mounted may have been mounted from elsewhere meanwhile, and must come off all the same.
        rule.pattern::<MountPattern>().is_some_and(|own| own.is_on(&self.target))
    }

    fn is_allowed_with_unowned(&self, rule: &GrantRule) -> bool {
        rule.pattern::<MountPattern>().is_some_and(|own| !own.target_is_unowned)
    }
}

impl Operation for AdoptWithoutSource {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("mount = {} * on {}", quoted(&self.fstype), path_text(&self.target))
    }
}

impl RuleMatch for AdoptWithoutSource {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<MountPattern>().is_some_and(|own| own.fstype.matches(&self.fstype) && own.is_on(&self.target))
    }

    fn is_allowed_with_unowned(&self, rule: &GrantRule) -> bool {
        rule.pattern::<MountPattern>().is_some_and(|own| !own.target_is_unowned)
    }
}

impl Operation for MountFilesystem {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("mount = {} {} on {}", quoted(&self.fstype), quoted(&self.source), path_text(&self.target))
    }
}

impl RuleMatch for MountFilesystem {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.pattern::<MountPattern>().is_some_and(|own| {
            own.fstype.matches(&self.fstype)
                && own.sources.iter().any(|source| source.matches(&self.source, names))
                && own.is_on(&self.target)
        })
    }

    /// The file system reads and writes the paths in its options, and a bind shows its source, so they need grants of their own.
    fn side_effects(&self) -> Vec<SideEffect> {
        let options = self.options.iter();
        let mut effects: Vec<SideEffect> =
            options.flat_map(|option| mount_option::side_effects(&self.fstype, option, self.freedom)).collect();
        effects.extend(self.shown().map(SideEffect::Operation));
        effects
    }
}

impl MountFilesystem {
    /// Whether it is a bind mount: `-t none` is how fstab(5) spells one, with the word `bind` among the options.
    pub fn is_bind(&self) -> bool {
        let by_option = |option: &MountOption| matches!(option.name.as_str(), "bind" | "rbind");
        matches!(self.fstype.as_str(), "bind" | "none") || self.options.iter().any(by_option)
    }

    /// The operation on the place to which an option has led: what it names is read or written.
    pub fn option_at(&self, name: &str, real: &Path) -> Box<dyn Operation> {
        let path = real.to_owned();
        if mount_option::writes(&self.fstype, name) {
            Box::new(WritePath { path })
        } else {
            Box::new(ReadPath { path })
        }
    }

    /// The operation on the source that a bind mount amounts to. None for any other mount.
    pub fn shown(&self) -> Option<Box<dyn Operation>> {
        if !self.is_bind() {
            return None;
        }
        // The last word wins.
        let last = self.options.iter().rev().find(|option| matches!(option.name.as_str(), "ro" | "rw"));
        let is_read_only = last.is_some_and(|option| option.name == "ro");
        let path = PathBuf::from(&self.source);
        Some(match (self.binds_file, is_read_only) {
            (true, true) => Box::new(ReadPath { path }),
            (true, false) => Box::new(WritePath { path }),
            (false, true) => Box::new(ReadTree { path }),
            (false, false) => Box::new(WriteTree { path }),
        })
    }
}
