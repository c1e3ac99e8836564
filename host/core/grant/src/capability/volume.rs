//! `volume = NAME`: volumes of the object's own namespace.

use std::fmt;
use std::sync::Arc;

use super::definition::{Capability, LinePattern, LineTemplate, only_stars, patterns};
use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::address::NameResolution;
use crate::line::check::check_word;
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::rule::GrantRule;
use crate::line::token::{Token, quoted};
use crate::operation::{Access, Operation, RuleMatch};

pub(super) static CAPABILITIES: [Capability; 1] = [Capability {
    name: "volume",
    attributes: &[],
    template: |words| {
        let token = words.one("the name of a volume")?;
        check_word(token)?;
        Ok(Arc::new(VolumeTemplate { name: token.clone() }))
    },
    verb: |_, _| "make, start, stop and delete the volume",
    policy_word: only_stars,
    also_decided_by: &[],
}];

/// Look at a volume. Grant `volume`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeVolume {
    /// Its name, in the namespace of the object.
    pub name: String,
}

/// Make a volume, start it, stop it, delete it, or write into it. Grant `volume`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeVolume {
    /// Its name, in the namespace of the object.
    pub name: String,
}

#[derive(Debug)]
struct VolumeTemplate {
    name: Token,
}

impl LineTemplate for VolumeTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.name]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns(binder.words(&self.name, WordUse::Name)?.into_iter().map(VolumePattern)))
    }
}

#[derive(Debug)]
struct VolumePattern(Glob);

impl LinePattern for VolumePattern {}

impl fmt::Display for VolumePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn is_of(rule: &GrantRule, name: &str) -> bool {
    rule.pattern::<VolumePattern>().is_some_and(|own| own.0.matches(name))
}

fn line_of(name: &str) -> String {
    format!("volume = {}", quoted(name))
}

impl Operation for SeeVolume {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        line_of(&self.name)
    }
}

impl RuleMatch for SeeVolume {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        is_of(rule, &self.name)
    }
}

impl Operation for ChangeVolume {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        line_of(&self.name)
    }
}

impl RuleMatch for ChangeVolume {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        is_of(rule, &self.name)
    }
}
