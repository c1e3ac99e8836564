//! Builds the object from resolved keywords. Everything is read, whatever else is wrong, so that every problem is found at
//! once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use model::keyword::Keyword;
use model::object::{
    LateValue, Object, OrchestrateMode, PlacementPolicy, ResolvedKeyword, Resource, SubsetOptions, VerbTimeouts,
    WrittenSchedule,
};
use model::{Group, Rid, SubsetName};

use crate::ConfigKey;
use crate::document::text::DEFAULT;
use crate::node::data::NodeData;
use crate::object::cycle::{RequirementCycle, cycles};
use crate::object::fields::SectionFields;
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

impl<'a> ObjectBuilder<'_, 'a> {
    fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    fn fields<'f>(&'f self, section: &'f str) -> SectionFields<'f, 'a> {
        let keywords = self.resolver.outline.keyword_set(section);
        let written = self.resolver.written_places(section, keywords);
        SectionFields { resolver: self.resolver, problems: &self.problems, section, keywords, written }
    }

    fn ok<T>(&self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.report(problem)).ok()
    }

    fn object(&self, node: &NodeData) -> Object {
        let head = self.fields(DEFAULT);
        // Only checked here: the object keeps these lists among its `keywords`.
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
            // A word that is not among the candidates is reported. The fallback also gives `placement = none` the
            // order of `nodes`.
            orchestrate: head.text("orchestrate").parse().unwrap_or(OrchestrateMode::No),
            placement: head.text("placement").parse().unwrap_or(PlacementPolicy::NodesOrder),
            priority: head.count("priority"),
            rollback: head.flag("rollback"),
            show_disabled: head.flag("show_disabled"),
            disable: head.flag("disable"),
            provision: head.flag("provision"),
            unprovision: head.flag("unprovision"),
            env: head.text("env"),
            app: head.text("app"),
            limits: head.limits(),
            create_pg: head.flag("create_pg"),
            secrets: self.resolver.free_secrets(),
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
        // A daemon keeps it for as long as it runs.
        object.resources.shrink_to_fit();
        // By id, in natural order: the order of the sections in the text has no meaning.
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
        let fields = self.fields(section);
        match &cycle.culprit {
            Some((_, verb, other)) => {
                let label = format!("{other} would have to act both before and after");
                fields.report_requirement(&format!("{verb}_requires"), other, message, label);
            }
            // Implied edges alone close this cycle, so there is no keyword to mark.
            None => self.report(Diagnostic::error(outline.span_of(section), message, "no order satisfies them")),
        }
    }

    fn subsets(&self) -> BTreeMap<(Group, SubsetName), SubsetOptions> {
        let subset = |fields: SectionFields<'_, '_>| SubsetOptions {
            parallel: fields.flag("parallel"),
            limits: fields.limits(),
        };
        let subsets = self.resolver.outline.subsets();
        subsets.map(|(section, key)| (key, subset(self.fields(section)))).collect()
    }

    /// None if its driver has no name, which was reported.
    fn resource(&self, section: &ResourceSection<'_>, defaults: &VerbTimeouts) -> Option<Resource> {
        let name = section.name;
        let fields = self.fields(name);
        let tags = fields.values("tags").unwrap_or_default();
        let group = section.rid.group();
        // Not read as a flag, because absent is not false here: the group and the tags decide then.
        let optional = fields.values("optional").map(|values| values == ["true"]);
        let by_nature =
            matches!(group, Group::Sync | Group::Task | Group::Fence) || tags.iter().any(|tag| tag == NOACTION);
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
            restart: fields.restarts(),
            restart_delay: fields.duration("restart_delay").unwrap_or_default(),
            provision: fields.flag("provision"),
            unprovision: fields.flag("unprovision"),
            requires: fields.requires(&section.rid),
            triggers: fields.triggers(),
            timeouts: fields.timeouts(defaults),
            schedule: self.schedule(name, &fields, group),
            catch_up: fields.flag("catch_up"),
            max_parallel: fields.count("max_parallel").max(1) as usize,
            limits: fields.limits(),
            comment: fields.text("comment"),
            joins: fields.joins(group),
            tags,
            // Near the end on purpose: a section without even the name of a driver is dropped here, after everything else
            // in it was checked.
            driver: section.driver.map(|driver| driver.name).or(section.unknown.as_ref())?.clone(),
            keywords: self.driver_keywords(section, &fields),
        };
        Some(resource)
    }

    /// Its own schedule, or the object's for resources of its group.
    fn schedule(&self, section: &str, fields: &SectionFields<'_, '_>, group: Group) -> Option<WrittenSchedule> {
        let of_object = match group {
            Group::Sync => Some("sync_schedule"),
            Group::Task => Some("run_schedule"),
            _ => None,
        };
        // An empty schedule is not an absent one: it keeps the resource from the schedule of the object, and so it
        // never runs by itself.
        let own = fields.values("schedule").map(|values| (format!("{section}.schedule"), values));
        let (keyword, values) =
            own.or_else(|| Some((format!("{DEFAULT}.{}", of_object?), self.fields(DEFAULT).values(of_object?)?)))?;
        let text = values.concat();
        (!text.is_empty()).then_some(WrittenSchedule { keyword, text })
    }

    fn driver_keywords(&self, section: &ResourceSection<'_>, fields: &SectionFields<'_, '_>) -> Vec<ResolvedKeyword> {
        let Some(driver) = section.driver else { return Vec::new() };
        // A keyword of a third party that has the name of a keyword of the core is not there.
        let is_there = |keyword: &&Keyword| {
            !keyword.foreign || fields.keywords.get(&keyword.name).is_some_and(|known| std::ptr::eq(known, *keyword))
        };
        driver.keywords.iter().filter(is_there).filter_map(|keyword| self.prepared(fields, keyword)).collect()
    }

    fn prepared(&self, fields: &SectionFields<'_, '_>, keyword: &Keyword) -> Option<ResolvedKeyword> {
        let section = fields.section;
        // Most keywords are not written, and most of those have no default: that is known without another look.
        if !keyword.required && fields.is_absent(&keyword.name) {
            return None;
        }
        let value = self.ok(self.resolver.checked(section, keyword))?;
        let is_empty = value.as_ref().and_then(LateValue::as_text).is_some_and(|text| text.is_empty());
        if (value.is_none() || is_empty) && keyword.required {
            self.report(self.missing(section, keyword));
            return None;
        }
        let prepared = |value: LateValue| ResolvedKeyword {
            name: keyword.name.clone(),
            kind: keyword.kind,
            secret: keyword.secret,
            store: keyword.store,
            place: keyword.place,
            aside: keyword.provisioning && self.resolver.written(section, keyword).is_none(),
            // Converted now and kept: a status evaluates every keyword, and most have no late reference.
            known: self.resolver.canonical(section, keyword).ok().flatten(),
            provenance: self.resolver.provenance(section, keyword, &value),
            value,
        };
        value.map(prepared)
    }

    /// The problem of a keyword that is required and not set. One that only provision needs is a warning: the resource may
    /// exist already.
    fn missing(&self, section: &str, keyword: &Keyword) -> Diagnostic {
        let written = self.resolver.written(section, keyword);
        let what = if written.is_some() { "empty" } else { "not set" };
        let key = ConfigKey::new(self.resolver.outline.display_name(section), &keyword.name);
        let message = format!("{key} is {what}");
        let span = written.map_or(self.resolver.outline.span_of(section), |entry| entry.key_span);
        let example = if keyword.example.is_empty() { "…" } else { &keyword.example };
        let label = format!("expected {} = {example}", keyword.name);
        if keyword.provisioning {
            return Diagnostic::warning(span, message, label + ", which provision needs");
        }
        Diagnostic::error(span, message, label)
    }
}
