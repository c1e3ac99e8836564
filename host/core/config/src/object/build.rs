//! Builds the object from resolved keywords. Everything is read, whatever else is wrong, so that every problem is found at
//! once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Span};
use model::keyword::Keyword;
use model::object::{
    LateValue, Object, OrchestrateMode, PlacementPolicy, Requirement, ResolvedKeyword, Resource, SubsetOptions,
    Topology, Trigger, VerbTimeouts,
};
use model::{Group, InvalidSubsetName, NodeName, ObjectPath, Rid, SubsetName, Verb};

use crate::ConfigKey;
use crate::document::text::{DEFAULT, Entry};
use crate::node::data::NodeData;
use crate::object::cycle::{RequirementCycle, cycles};
use crate::object::requires;
use crate::resolve::outline::ResourceSection;
use crate::resolve::resolver::KeywordResolver;

/// The tag that keeps actions from a resource.
const NOACTION: &str = "noaction";
/// The lists of other objects, and whether their elements may name a node.
const RELATIVES: [(&str, bool); 6] = [
    ("parents", true),
    ("children", true),
    ("hard_affinity", false),
    ("hard_anti_affinity", false),
    ("soft_affinity", false),
    ("soft_anti_affinity", false),
];
/// The tag that means the same as the keyword `encap`.
const ENCAP: &str = "encap";

/// Builds the object and reports its problems. If there is an error among them, the object must not be used.
pub(crate) fn build(resolver: &KeywordResolver<'_>, node: &NodeData) -> (Object, Vec<Diagnostic>) {
    let builder = ObjectBuilder { resolver, problems: RefCell::default() };
    let object = builder.object(node);
    (object, builder.problems.into_inner())
}

struct ObjectBuilder<'b, 'a> {
    resolver: &'b KeywordResolver<'a>,
    problems: RefCell<Vec<Diagnostic>>,
}

impl ObjectBuilder<'_, '_> {
    fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    fn ok<T>(&self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.report(problem)).ok()
    }

    fn object(&self, node: &NodeData) -> Object {
        let head = SectionFields { builder: self, section: DEFAULT, keywords: self.resolver.outline.keywords(DEFAULT) };
        RELATIVES.into_iter().for_each(|(name, with_node)| head.objects(name, with_node));
        let members = self.resolver.members.clone();
        let timeouts = head.timeouts(&VerbTimeouts::default());
        let topology = head.topology();
        let mut object = Object {
            path: self.resolver.path.clone(),
            node: node.name.clone(),
            nodes: members.nodes,
            drpnodes: members.drpnodes,
            encapnodes: members.encapnodes,
            flex_primary: members.flex_primary,
            drp_flex_primary: members.drp_flex_primary,
            topology,
            orchestrate: orchestrate(&head.text("orchestrate")),
            placement: placement(&head.text("placement")),
            priority: head.count("priority"),
            rollback: head.flag("rollback"),
            show_disabled: head.flag("show_disabled"),
            disable: head.flag("disable"),
            provision: head.flag("provision"),
            unprovision: head.flag("unprovision"),
            env: head.text("env"),
            app: head.text("app"),
            resources: self
                .resolver
                .outline
                .resources
                .iter()
                .filter_map(|section| self.resource(section, &timeouts))
                .collect(),
            subsets: self.subsets(),
            keywords: head.all(),
            timeouts,
        };
        object.resources.sort_by(|a, b| a.rid.cmp(&b.rid));
        // Cycles are searched last: they need every resource, and requirements that name missing ones are reported already.
        cycles(&object.resources).iter().for_each(|cycle| self.cycle(cycle));
        object
    }

    /// Reports resources that wait for each other, at the requirement that makes them.
    fn cycle(&self, cycle: &RequirementCycle) {
        let rids: Vec<String> = cycle.rids.iter().map(Rid::to_string).collect();
        let message = format!("these wait for each other: {}", rids.join(" → "));
        let outline = &self.resolver.outline;
        let owner = cycle.culprit.as_ref().map(|(own, ..)| own).or(cycle.rids.first());
        let Some(section) = owner.and_then(|own| outline.resource_of_rid(own)) else { return };
        let section = section.name;
        let fields = SectionFields { builder: self, section, keywords: outline.keywords(section) };
        match &cycle.culprit {
            Some((_, verb, other)) => {
                let label = format!("{other} would have to act both before and after");
                fields.report_requirement(&format!("{verb}_requires"), other, message, label);
            }
            None => self.report(Diagnostic::error(outline.span_of(section), message, "no order satisfies them")),
        }
    }

    fn subsets(&self) -> BTreeMap<(Group, SubsetName), SubsetOptions> {
        let fields =
            |section| SectionFields { builder: self, section, keywords: self.resolver.outline.keywords(section) };
        let subset = |fields: SectionFields<'_, '_, '_>| SubsetOptions {
            parallel: fields.flag("parallel"),
            process_group: fields.process_group(),
        };
        let subsets = self.resolver.outline.subsets();
        subsets.map(|(section, key)| (key, subset(fields(section)))).collect()
    }

    /// None if its driver has no name, which was reported.
    fn resource(&self, section: &ResourceSection<'_>, defaults: &VerbTimeouts) -> Option<Resource> {
        let name = section.name;
        let fields = SectionFields { builder: self, section: name, keywords: self.resolver.outline.keywords(name) };
        let tags = fields.values("tags").unwrap_or_default();
        let group = section.rid.group();
        let optional = fields.values("optional").map(|values| values == ["true"]);
        let by_nature = matches!(group, Group::Sync | Group::Task) || tags.iter().any(|tag| tag == NOACTION);
        let resource = Resource {
            rid: section.rid.clone(),
            section: name.to_owned(),
            subset: fields.subset(),
            implicit: section.implicit,
            disable: fields.flag("disable"),
            disabled_on: self.resolver.disabled_on(name),
            optional: optional.unwrap_or(by_nature),
            standby: fields.flag("standby"),
            shared: fields.flag("shared"),
            encap: fields.flag("encap") || tags.iter().any(|tag| tag == ENCAP),
            monitor: fields.flag("monitor"),
            restart: fields.count("restart"),
            restart_delay: fields.duration("restart_delay").unwrap_or_default(),
            provision: fields.flag("provision"),
            unprovision: fields.flag("unprovision"),
            requires: fields.requires(&section.rid),
            triggers: fields.triggers(),
            timeouts: fields.timeouts(defaults),
            schedule: self.schedule(&fields, group),
            process_group: fields.process_group(),
            comment: fields.text("comment"),
            joins: fields.joins(group),
            tags,
            driver: section.driver.map(|driver| driver.name).or(section.unknown.as_ref())?.clone(),
            keywords: self.driver_keywords(section),
        };
        Some(resource)
    }

    /// Its own schedule, or the object's for resources of its group.
    fn schedule(&self, fields: &SectionFields<'_, '_, '_>, group: Group) -> Option<String> {
        let of_object = match group {
            Group::Sync => Some("sync_schedule"),
            Group::Task => Some("run_schedule"),
            _ => None,
        };
        let head = SectionFields { builder: self, section: DEFAULT, keywords: self.resolver.outline.keywords(DEFAULT) };
        let own = fields.values("schedule").or_else(|| head.values(of_object?));
        own.map(|values| values.concat()).filter(|schedule| !schedule.is_empty())
    }

    fn driver_keywords(&self, section: &ResourceSection<'_>) -> Vec<ResolvedKeyword> {
        let Some(driver) = section.driver else { return Vec::new() };
        let name = section.name;
        driver.keywords.iter().filter_map(|keyword| self.prepared(name, keyword)).collect()
    }

    fn prepared(&self, section: &str, keyword: &Keyword) -> Option<ResolvedKeyword> {
        let value = self.ok(self.resolver.checked(section, keyword))?;
        if value.is_none() && keyword.required {
            self.report(self.missing(section, keyword));
        }
        let prepared = |value: LateValue| ResolvedKeyword {
            name: keyword.name.clone(),
            kind: keyword.kind,
            secret: keyword.secret,
            store: keyword.store,
            aside: keyword.provisioning && self.resolver.written(section, keyword).is_none(),
            // Converted now and kept: a status evaluates every keyword, and most have no late reference.
            known: self.resolver.canonical(section, keyword).ok().flatten(),
            value,
        };
        value.map(prepared)
    }

    /// The problem of a keyword that is required and not set. One that only provision needs is a warning: the resource may
    /// exist already.
    fn missing(&self, section: &str, keyword: &Keyword) -> Diagnostic {
        let message =
            format!("{} is not set", ConfigKey::new(self.resolver.outline.display_name(section), &keyword.name));
        let span = self.resolver.outline.span_of(section);
        let example = if keyword.example.is_empty() { "…" } else { &keyword.example };
        let label = format!("expected {} = {example}", keyword.name);
        if keyword.provisioning {
            return Diagnostic::warning(span, message, label + ", which provision needs");
        }
        Diagnostic::error(span, message, label)
    }
}

/// The keywords of one section, by name and type. What does not convert is reported and counts as not set.
struct SectionFields<'f, 'b, 'a> {
    builder: &'f ObjectBuilder<'b, 'a>,
    section: &'f str,
    keywords: &'f [&'a Keyword],
}

impl SectionFields<'_, '_, '_> {
    fn keyword(&self, name: &str) -> Option<&Keyword> {
        self.keywords.iter().copied().find(|keyword| keyword.name == name)
    }

    fn values(&self, name: &str) -> Option<Vec<String>> {
        let keyword = self.keyword(name)?;
        self.builder.ok(self.builder.resolver.canonical(self.section, keyword))?
    }

    fn all(&self) -> BTreeMap<String, Vec<String>> {
        let entries = self.keywords.iter().map(|keyword| (keyword.name.clone(), self.values(&keyword.name)));
        entries.filter_map(|(name, values)| Some((name, values?))).collect()
    }

    fn text(&self, name: &str) -> String {
        self.values(name).unwrap_or_default().concat()
    }

    fn flag(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// A number that cannot be negative.
    fn count(&self, name: &str) -> u32 {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            // A text that is not an integer was reported by its conversion.
            // A default made of another keyword is not at fault itself: that keyword is reported.
            if !text.is_empty() && self.written(name).is_some() {
                self.report(
                    name,
                    format!("{} is out of range", self.key(name)),
                    "expected 0 or a small positive integer",
                );
            }
            0
        })
    }

    /// The entry that the keyword reads.
    fn written(&self, name: &str) -> Option<&Entry> {
        self.builder.resolver.written(self.section, self.keyword(name)?)
    }

    /// The subset of a resource, a name that can stand in `[subset#<group>:<name>]` and in a control group's.
    fn subset(&self) -> Option<SubsetName> {
        let subset = Some(self.text("subset")).filter(|subset| !subset.is_empty())?;
        let report = |error: &InvalidSubsetName| {
            self.report("subset", format!("{} is not the name of a subset", self.key("subset")), error.to_string());
        };
        subset.parse().inspect_err(report).ok()
    }

    /// Checks a list of objects, each with a node where that is allowed.
    fn objects(&self, name: &str, with_node: bool) {
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

    fn duration(&self, name: &str) -> Option<Duration> {
        self.text(name).parse().ok().map(Duration::from_millis)
    }

    fn key(&self, name: &str) -> ConfigKey {
        ConfigKey::new(self.builder.resolver.outline.display_name(self.section), name)
    }

    fn report(&self, name: &str, message: String, label: impl Into<String>) {
        let span =
            self.keyword(name).map_or(Span::default(), |keyword| self.builder.resolver.span_of(self.section, keyword));
        self.builder.report(Diagnostic::error(span, message, label));
    }

    /// How many instances shall be up. The bounds are checked for a failover object too.
    fn topology(&self) -> Topology {
        let (min, max) = (self.count("flex_min"), self.count("flex_max"));
        if max != 0 && max < min && self.written("flex_max").is_some() {
            self.report(
                "flex_max",
                "flex_max is less than flex_min".to_owned(),
                format!("expected at least {min}, or 0 for any number"),
            );
        }
        let max = (max != 0).then_some(max);
        let upper = max.map_or(u32::MAX, |max| max.max(min));
        let target = self.count("flex_target").clamp(min, upper);
        if self.text("topology") == "flex" { Topology::Flex { min, max, target } } else { Topology::Failover }
    }

    fn timeouts(&self, defaults: &VerbTimeouts) -> VerbTimeouts {
        let own = |verb: Verb| Some((verb, self.duration(&format!("{verb}_timeout"))?));
        let mut timeouts = defaults.clone();
        timeouts.default = self.duration("timeout").unwrap_or(timeouts.default);
        timeouts.verbs.extend(Verb::CONFIGURABLE.into_iter().chain([Verb::Status]).filter_map(own));
        timeouts
    }

    fn process_group(&self) -> BTreeMap<String, String> {
        let limits =
            self.keywords.iter().filter_map(|keyword| keyword.name.strip_prefix("pg_").map(|name| (keyword, name)));
        let limit = |(keyword, name): (&&Keyword, &str)| Some((name.to_owned(), self.values(&keyword.name)?.concat()));
        limits.filter_map(limit).collect()
    }

    fn triggers(&self) -> BTreeMap<Trigger, Vec<String>> {
        Trigger::all().filter_map(|trigger| Some((trigger, self.values(&trigger.to_string())?))).collect()
    }

    fn requires(&self, own: &Rid) -> BTreeMap<Verb, Vec<Requirement>> {
        let required = |verb: Verb| Some((verb, self.requires_of(own, &format!("{verb}_requires"))?));
        Verb::requiring().filter_map(required).collect()
    }

    fn requires_of(&self, own: &Rid, name: &str) -> Option<Vec<Requirement>> {
        let text = self.text(name);
        let located = match requires::parse(&text) {
            Ok(located) => located,
            Err(bad) => {
                self.report_part(name, &text, bad.span, format!("{} does not parse", self.key(name)), bad.label);
                return None;
            }
        };
        for (requirement, span) in &located {
            if let Some(label) = self.unknown_requirement(own, &requirement.rid) {
                let message = format!("{} names {}", self.key(name), requirement.rid);
                self.report_part(name, &text, *span, message, label);
            }
        }
        let requirements: Vec<Requirement> = located.into_iter().map(|(requirement, _)| requirement).collect();
        (!requirements.is_empty()).then_some(requirements)
    }

    /// Reports a requirement that parses, where its resource is named.
    fn report_requirement(&self, name: &str, rid: &Rid, message: String, label: String) {
        let text = self.text(name);
        let located = requires::parse(&text).unwrap_or_default();
        match located.into_iter().find(|(requirement, _)| requirement.rid == *rid) {
            Some((_, span)) => self.report_part(name, &text, span, message, label),
            None => self.report(name, message, label),
        }
    }

    fn unknown_requirement(&self, own: &Rid, rid: &Rid) -> Option<String> {
        let resources = &self.builder.resolver.outline.resources;
        if rid == own {
            return Some("the resource itself".to_owned());
        }
        if self.builder.resolver.outline.resource_of_rid(rid).is_some() {
            return None;
        }
        let others = resources.iter().filter(|resource| resource.rid != *own);
        let rids: Vec<String> = others.map(|resource| resource.rid.to_string()).collect();
        let rids = rids.iter().map(String::as_str);
        Some(crate::nearest::did_you_mean(&rid.to_string(), rids, "the object has no such resource"))
    }

    /// Reports a part of a value. Where references made the value, the part has no place in the text, and the whole value is
    /// marked.
    fn report_part(&self, name: &str, text: &str, part: Span, message: String, label: String) {
        let keyword = self.keyword(name);
        let entry = keyword.and_then(|keyword| self.builder.resolver.written(self.section, keyword));
        match entry.filter(|entry| entry.value == text) {
            Some(entry) => self.builder.report(Diagnostic::error(entry.locate(part), message, label)),
            None => self.report(name, message, label),
        }
    }

    /// The container whose network an address joins.
    fn joins(&self, group: Group) -> Option<Rid> {
        let value = (group == Group::Ip).then(|| self.values("netns")).flatten()?;
        let rid = Rid::from_str(&value.concat()).ok()?;
        if self.builder.resolver.outline.resource_of_rid(&rid).is_none() {
            let message = format!("{} names {rid}", self.key("netns"));
            self.report("netns", message, "the object has no such resource");
        }
        Some(rid)
    }
}

fn orchestrate(text: &str) -> OrchestrateMode {
    match text {
        "start" => OrchestrateMode::Start,
        "ha" => OrchestrateMode::Ha,
        _ => OrchestrateMode::No,
    }
}

fn placement(text: &str) -> PlacementPolicy {
    match text {
        "score" => PlacementPolicy::Score,
        "load avg" => PlacementPolicy::LoadAvg,
        "spread" => PlacementPolicy::Spread,
        "shift" => PlacementPolicy::Shift,
        "last start" => PlacementPolicy::LastStart,
        _ => PlacementPolicy::NodesOrder,
    }
}
