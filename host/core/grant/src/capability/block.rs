//! `block.read = PATH`, `block.loop = FILE` and `block.undo = ID`: block devices, loop devices over files, and devices that a driver's
//! programs made.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::definition::{Capability, LinePattern, LineTemplate, only_stars, patterns};
use super::files::{any_path, path_text, path_word};
use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::address::NameResolution;
use crate::line::check::check_source;
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::path_glob::PathGlob;
use crate::line::rule::GrantRule;
use crate::line::source::SourcePattern;
use crate::line::token::{Token, TokenPiece, quoted};
use crate::operation::{Access, Operation, RuleMatch};

pub(super) static CAPABILITIES: [Capability; 3] = [
    Capability {
        name: "block.read",
        attributes: &[],
        template: |words| {
            let token = words.one("a path, LABEL=NAME, UUID=NAME or *")?;
            check_source(token)?;
            Ok(Arc::new(DeviceTemplate { device: token.clone() }))
        },
        verb: |_, _| "read the device",
        policy_word: only_stars,
        also_decided_by: &["block.loop"],
    },
    Capability {
        name: "block.loop",
        attributes: &[],
        template: |words| Ok(Arc::new(LoopTemplate { file: path_word(words)? })),
        verb: |_, _| "attach a loop device to",
        policy_word: any_path,
        also_decided_by: &[],
    },
    Capability {
        name: "block.undo",
        attributes: &[],
        template: |words| {
            let token = words.one("dm: or md: and a UUID, with stars")?;
            Ok(Arc::new(UndoTemplate { id: token.clone() }))
        },
        verb: |_, _| "take down, after declaring that it holds it, the unused device",
        policy_word: only_stars,
        also_decided_by: &[],
    },
];

/// Why a driver that reads any device is as good as root.
const DISKS: &str = "every file of the node is on its disks";

/// Look at a block device, or at an image file as at one. Grant `block.read` or `block.loop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDevice {
    /// As requested: a device path, `LABEL=x` or `UUID=x`.
    pub path: String,
}

/// See which loop device a file backs. Grant `block.loop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeLoop {
    /// The backing file.
    pub file: PathBuf,
}

/// Attach or detach a loop device. Grant `block.loop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLoop {
    /// The backing file.
    pub file: PathBuf,
}

/// Take down a device that the resource declared to hold, by the UUID that the kernel shows of it. Grant `block.undo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoDevice {
    /// As it was declared: `dm:CRYPT-LUKS2-9c4f-vault`.
    pub id: String,
}

#[derive(Debug)]
struct DeviceTemplate {
    device: Token,
}

impl LineTemplate for DeviceTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.device]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns(SourcePattern::bind(&self.device, binder)?.into_iter().map(DevicePattern)))
    }

    fn may_be_star(&self, token: &Token) -> bool {
        token.only() == Some(&TokenPiece::Star)
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        (self.device.only() == Some(&TokenPiece::Star)).then_some(DISKS)
    }
}

#[derive(Debug)]
struct DevicePattern(SourcePattern);

impl LinePattern for DevicePattern {
    fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        Some(Arc::new(DevicePattern(self.0.relocated(follow)?)))
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        (self.0 == SourcePattern::Any).then_some(DISKS)
    }
}

impl fmt::Display for DevicePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
struct LoopTemplate {
    file: Token,
}

impl LineTemplate for LoopTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.file]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns(binder.paths(&self.file)?.into_iter().map(LoopPattern)))
    }
}

/// The files that may back a loop device.
#[derive(Debug)]
struct LoopPattern(PathGlob);

impl LinePattern for LoopPattern {
    fn example(&self) -> Option<Box<dyn Operation>> {
        Some(Box::new(ChangeLoop { file: self.0.literal().filter(|_| !self.0.is_tree())?.into() }))
    }

    fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        Some(Arc::new(LoopPattern(self.0.relocated(follow)?)))
    }
}

impl fmt::Display for LoopPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
struct UndoTemplate {
    id: Token,
}

impl LineTemplate for UndoTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.id]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns(binder.words(&self.id, WordUse::Name)?.into_iter().map(UndoPattern)))
    }

    /// A UUID is not known before the device exists.
    fn may_be_star(&self, _: &Token) -> bool {
        true
    }
}

/// The ids of devices that may be taken down.
#[derive(Debug)]
struct UndoPattern(Glob);

impl LinePattern for UndoPattern {}

impl fmt::Display for UndoPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Operation for ReadDevice {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("block.read = {}", quoted(&self.path))
    }
}

impl RuleMatch for ReadDevice {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        // An image file is read as a device before a loop device is attached to it.
        let device = || rule.pattern::<DevicePattern>().is_some_and(|own| own.0.matches(&self.path, names));
        device() || rule.pattern::<LoopPattern>().is_some_and(|own| own.0.matches(self.path.as_ref()))
    }

    /// A `deny block.loop` forbids attaching the file, not reading it.
    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.pattern::<DevicePattern>().is_some_and(|own| own.0.matches(&self.path, names))
    }
}

impl Operation for SeeLoop {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(SeeLoop { file: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("block.loop = {}", path_text(&self.file))
    }
}

impl RuleMatch for SeeLoop {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<LoopPattern>().is_some_and(|own| own.0.matches(&self.file))
    }
}

impl Operation for ChangeLoop {
    fn at(real: &Path) -> Option<Box<dyn Operation>> {
        Some(Box::new(ChangeLoop { file: real.to_owned() }))
    }

    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("block.loop = {}", path_text(&self.file))
    }
}

impl RuleMatch for ChangeLoop {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<LoopPattern>().is_some_and(|own| own.0.matches(&self.file))
    }
}

impl Operation for UndoDevice {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("block.undo = {}", quoted(&self.id))
    }
}

impl RuleMatch for UndoDevice {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<UndoPattern>().is_some_and(|own| own.0.matches(&self.id))
    }
}
