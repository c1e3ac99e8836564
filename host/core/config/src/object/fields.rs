//! Typed reading of one section: texts, flags, numbers, durations, and the keywords that have a syntax of their own.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;
use std::time::Duration;

use model::keyword::Keyword;
use model::object::{GroupLimit, GroupLimits, Requirement, Topology, Trigger, VerbTimeouts};
use model::{Group, InvalidSubsetName, NodeName, ObjectPath, Rid, SubsetName, Verb};

use crate::ConfigKey;
use crate::diagnostic::{Diagnostic, Span};
use crate::document::text::Entry;
use crate::object::requires;
use crate::resolve::keyword_set::{KeywordSet, UnwrittenValue};
use crate::resolve::resolver::KeywordResolver;

/// The most restarts that the daemon counts within its window, see `orchestrate::RestartRules`.
const MAX_RESTARTS: u32 = 100;

/// The keywords of one section, by name and type. A value that does not convert is reported and counts as not set.
pub(crate) struct SectionFields<'f, 'a> {
    pub(crate) resolver: &'f KeywordResolver<'a>,
    pub(crate) problems: &'f RefCell<Vec<Diagnostic>>,
    pub(crate) section: &'f str,
    pub(crate) keywords: &'f KeywordSet<'a>,
    /// Which of the keywords may be written, here or where they are inherited from.
    pub(crate) written: Vec<bool>,
}

impl SectionFields<'_, '_> {
    fn ok<T>(&self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.problems.borrow_mut().push(problem)).ok()
    }

    fn keyword(&self, name: &str) -> Option<&Keyword> {
        self.keywords.get(name)
    }

    /// The value of a keyword that is written in no section of the driver's, unless it depends on the section.
    fn unwritten(&self, place: usize) -> Option<&UnwrittenValue> {
        if self.written[place] {
            return None;
        }
        self.keywords.unwritten(place, |keyword| self.resolver.unwritten(self.section, keyword))
    }

    /// What `read` makes of the values of a keyword. None if it has none.
    fn read<T>(&self, name: &str, read: impl FnOnce(&[String]) -> T) -> Option<T> {
        self.read_at(self.keywords.place(name)?, read)
    }

    /// The same for the keyword at a place of the set.
    fn read_at<T>(&self, place: usize, read: impl FnOnce(&[String]) -> T) -> Option<T> {
        match self.unwritten(place) {
            Some(values) => values.as_deref().map(read),
            None => {
                let values = self.ok(self.resolver.canonical(self.section, self.keywords.list[place]));
                values.flatten().as_deref().map(read)
            }
        }
    }

    pub(crate) fn values(&self, name: &str) -> Option<Vec<String>> {
        self.read(name, <[String]>::to_vec)
    }

    fn values_at(&self, place: usize) -> Option<Vec<String>> {
        self.read_at(place, <[String]>::to_vec)
    }

    /// Whether a keyword is neither written nor has a default.
    pub(crate) fn is_absent(&self, name: &str) -> bool {
        self.keywords.place(name).and_then(|place| self.unwritten(place)).is_some_and(Option::is_none)
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Vec<String>> {
        let entries = self.keywords.list.iter().enumerate();
        entries.filter_map(|(place, keyword)| Some((keyword.name.clone(), self.values_at(place)?))).collect()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        // The kinds that are read as text have one value, so nothing is glued together.
        self.read(name, <[String]>::concat).unwrap_or_default()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.read(name, |values| matches!(values, [value] if value == "true")).unwrap_or_default()
    }

    /// A number that cannot be negative.
    pub(crate) fn count(&self, name: &str) -> u32 {
        self.count_up_to(name, u32::MAX)
    }

    /// How many restarts. More than the daemon counts is no fault of the resource, so it is only said.
    pub(crate) fn restarts(&self) -> u32 {
        let restarts = self.count_up_to("restart", MAX_RESTARTS);
        if restarts > MAX_RESTARTS {
            let keyword = self.keyword("restart");
            let span = keyword.map_or(Span::default(), |keyword| self.resolver.span_of(self.section, keyword));
            let message = format!(
                "{} is more than the daemon counts: it restarts {MAX_RESTARTS} times in 10 minutes",
                self.key("restart")
            );
            let label = format!("expected an integer from 0 to {MAX_RESTARTS}");
            self.problems.borrow_mut().push(Diagnostic::warning(span, message, label));
        }
        restarts
    }

    fn count_up_to(&self, name: &str, most: u32) -> u32 {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            // A text that is not an integer was reported by its conversion. A default made of another keyword is not at fault
            // itself: that keyword is reported.
            if !text.is_empty() && self.written(name).is_some() {
                self.report(
                    name,
                    format!("{} is out of range", self.key(name)),
                    format!("expected an integer from 0 to {most}"),
                );
            }
            0
        })
    }

    /// The entry that the keyword reads.
    pub(crate) fn written(&self, name: &str) -> Option<&Entry> {
        self.resolver.written(self.section, self.keyword(name)?)
    }

    /// The subset of a resource, a name that can stand in `[subset#<group>:<name>]` and in a control group's.
    pub(crate) fn subset(&self) -> Option<SubsetName> {
        let subset = Some(self.text("subset")).filter(|subset| !subset.is_empty())?;
        let report = |error: &InvalidSubsetName| {
            self.report("subset", format!("{} is not the name of a subset", self.key("subset")), error.to_string());
        };
        subset.parse().inspect_err(report).ok()
    }

    /// Checks a list of objects, each with a node where that is allowed.
    pub(crate) fn objects(&self, name: &str, with_node: bool) {
        let is_object = |text: &str| text.parse::<ObjectPath>().is_ok();
        let fits = |word: &str| match word.split_once('@').filter(|_| with_node) {
            Some((object, node)) => is_object(object) && node.parse::<NodeName>().is_ok(),
            None => is_object(word),
        };
        if let Some(bad) = self.values(name).iter().flatten().find(|word| !fits(word)) {
            let label = if with_node { "expected <path>[@<node>]" } else { "expected the path of an object" };
            self.report(
                name,
                format!("{} names {bad:?}, which is not the path of an object", self.key(name)),
                format!("{label}, such as ns1/svc/web"),
            );
        }
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        self.duration_at(self.keywords.place(name)?)
    }

    fn duration_at(&self, place: usize) -> Option<Duration> {
        self.read_at(place, <[String]>::concat)?.parse().ok().map(Duration::from_millis)
    }

    pub(crate) fn key(&self, name: &str) -> ConfigKey {
        ConfigKey::new(self.resolver.outline.display_name(self.section), name)
    }

    pub(crate) fn report(&self, name: &str, message: String, label: impl Into<String>) {
        let span = self.keyword(name).map_or(Span::default(), |keyword| self.resolver.span_of(self.section, keyword));
        self.problems.borrow_mut().push(Diagnostic::error(span, message, label));
    }

    /// How many instances shall be up. The bounds are checked for a failover object too.
    pub(crate) fn topology(&self) -> Topology {
        let (min, max) = (self.count("flex_min"), self.count("flex_max"));
        // The default, the number of nodes, is not a mistake of the author's, so it is not reported.
        if max != 0 && max < min && self.written("flex_max").is_some() {
            self.report(
                "flex_max",
                "flex_max is less than flex_min".to_owned(),
                format!("expected at least {min}, or 0 for any number"),
            );
        }
        let max = (max != 0).then_some(max);
        // A target outside of the bounds is drawn to the nearest one rather than refused.
        let upper = max.map_or(u32::MAX, |max| max.max(min));
        let target = self.count("flex_target").clamp(min, upper);
        if self.text("topology") == "flex" { Topology::Flex { min, max, target } } else { Topology::Failover }
    }

    pub(crate) fn timeouts(&self, defaults: &VerbTimeouts) -> VerbTimeouts {
        let own = |&(verb, place): &(Verb, usize)| Some((verb, self.duration_at(place)?));
        // A resource's own `timeout` is weaker than the object's `<verb>_timeout`: the more specific verb wins.
        let mut timeouts = defaults.clone();
        timeouts.default = self.duration("timeout").unwrap_or(timeouts.default);
        timeouts.verbs.extend(self.keywords.families().timeouts.iter().filter_map(own));
        timeouts
    }

    /// The limits of its control group: `pg_*`.
    pub(crate) fn limits(&self) -> GroupLimits {
        let limit = |&(name, place): &(&str, usize)| {
            let text = self.read_at(place, |words| words.join(" "))?;
            let limit = GroupLimit::parse(name, &text);
            limit.map_err(|expected| self.refuse_limit(&format!("pg_{name}"), expected)).ok()
        };
        let limits = self.keywords.families().limits.iter().filter_map(limit);
        GroupLimits::of(limits).unwrap_or_else(|expected| {
            self.refuse_limit("pg_vmem_limit", expected);
            GroupLimits::default()
        })
    }

    fn refuse_limit(&self, keyword: &str, expected: &str) {
        self.report(keyword, format!("{} is not a limit", self.key(keyword)), expected);
    }

    pub(crate) fn triggers(&self) -> BTreeMap<Trigger, Vec<String>> {
        let command = |&(trigger, place): &(Trigger, usize)| Some((trigger, self.values_at(place)?));
        self.keywords.families().triggers.iter().filter_map(command).collect()
    }

    pub(crate) fn requires(&self, own: &Rid) -> BTreeMap<Verb, Vec<Requirement>> {
        let required = |&(verb, place): &(Verb, usize)| Some((verb, self.requires_of(own, place)?));
        self.keywords.families().requires.iter().filter_map(required).collect()
    }

    fn requires_of(&self, own: &Rid, place: usize) -> Option<Vec<Requirement>> {
        let text = self.read_at(place, <[String]>::concat)?;
        let name = &*self.keywords.list[place].name;
        let located = match requires::parse(&text) {
            Ok(located) => located,
            Err(bad) => {
                self.report_part(name, &text, bad.span, format!("{} does not parse", self.key(name)), bad.label);
                return None;
            }
        };
        let mut reported = HashSet::new();
        for (requirement, span) in &located {
            // One that is named again says nothing new.
            if !reported.insert(&requirement.rid) {
                continue;
            }
            if let Some(label) = self.unknown_requirement(own, &requirement.rid) {
                let message = format!("{} names {}", self.key(name), requirement.rid);
                self.report_part(name, &text, *span, message, label);
            }
        }
        let requirements: Vec<Requirement> = located.into_iter().map(|(requirement, _)| requirement).collect();
        (!requirements.is_empty()).then_some(requirements)
    }

    /// Reports a requirement that parses, where its resource is named.
    pub(crate) fn report_requirement(&self, name: &str, rid: &Rid, message: String, label: String) {
        let text = self.text(name);
        // The text parsed when the resource was built, so it parses again.
        let located = requires::parse(&text).unwrap_or_default();
        match located.into_iter().find(|(requirement, _)| requirement.rid == *rid) {
            Some((_, span)) => self.report_part(name, &text, span, message, label),
            None => self.report(name, message, label),
        }
    }

    pub(crate) fn unknown_requirement(&self, own: &Rid, rid: &Rid) -> Option<String> {
        let resources = &self.resolver.outline.resources;
        if rid == own {
            return Some("the resource itself".to_owned());
        }
        if self.resolver.outline.resource_of_rid(rid).is_some() {
            return None;
        }
        // By the names of the sections, which are made: an old kind of section is rarely what was meant.
        let others = resources.iter().filter(|resource| resource.rid != *own).map(|resource| resource.name);
        let suggestions = &self.resolver.outline.suggestions;
        Some(suggestions.did_you_mean(&rid.to_string(), others, "the object has no such resource"))
    }

    /// Reports a part of a value. Where references made the value, the part has no place in the text, and the whole value is
    /// marked.
    pub(crate) fn report_part(&self, name: &str, text: &str, part: Span, message: String, label: String) {
        let keyword = self.keyword(name);
        let entry = keyword.and_then(|keyword| self.resolver.written(self.section, keyword));
        match entry.filter(|entry| entry.value == text) {
            Some(entry) => self.problems.borrow_mut().push(Diagnostic::error(entry.locate(part), message, label)),
            None => self.report(name, message, label),
        }
    }

    /// The container whose network an address joins.
    pub(crate) fn joins(&self, group: Group) -> Option<Rid> {
        let value = (group == Group::Ip).then(|| self.values("netns")).flatten()?;
        // A value that is not a resource id is left to the driver, which knows what else it accepts.
        let rid = Rid::from_str(&value.concat()).ok()?;
        if self.resolver.outline.resource_of_rid(&rid).is_none() {
            let message = format!("{} names {rid}", self.key("netns"));
            self.report("netns", message, "the object has no such resource");
        }
        Some(rid)
    }
}
