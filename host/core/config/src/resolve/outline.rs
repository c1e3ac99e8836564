//! The outline of a document: which sections are resources, of which drivers, and which keywords each can hold.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Span};
use crate::keyword::{self, RenamedSection};
use model::keyword::{Keyword, KeywordInheritance};
use model::{DriverName, Group, ObjectKind, ObjectPath, Rid, SubsetName};

use crate::document::text::{DEFAULT, Section};
use crate::nearest::{Suggestions, alternatives, did_you_mean};
use crate::resolve::keyword_set::KeywordSet;
use crate::resolve::section_type::SectionTypes;
use crate::{Document, DriverSchema, DriverSchemas, ImplicitResource};

/// The sections of a document, by what they are.
pub(crate) struct Outline<'a> {
    roles: HashMap<&'a str, SectionRole>,
    /// Where the name of each section stands.
    spans: HashMap<&'a str, Span>,
    head: KeywordSet<'a>,
    subset: KeywordSet<'a>,
    /// The keywords of the sections of each driver, and those of the sections whose driver is missing.
    of_drivers: HashMap<Option<&'a DriverName>, Rc<KeywordSet<'a>>>,
    /// The keywords of a section that can have none.
    none: KeywordSet<'a>,
    /// Where each resource stands in `resources`.
    rids: HashMap<Rid, usize>,
    /// The section of each resource.
    pub(crate) resources: Vec<ResourceSection<'a>>,
    /// Why the keywords of some sections are unknown: the problem of the section.
    causes: HashMap<&'a str, Diagnostic>,
    /// For mistyped names of resources and nodes, of which there may be thousands.
    pub(crate) suggestions: Suggestions,
    /// The problems of the sections themselves.
    pub(crate) problems: Vec<Diagnostic>,
    /// Missing drivers. An object is usable in part without the resources that need them.
    pub(crate) missing: Vec<Diagnostic>,
}

/// The role of a section.
#[derive(Debug, Clone)]
pub(crate) enum SectionRole {
    Default,
    /// `env`, `labels`, `data`: any key, and whether it may be scoped.
    Free {
        scopable: bool,
    },
    Subset(Group, SubsetName),
    Resource(usize),
    /// Not used here, but not a mistake either.
    Other,
    /// A mistake that was reported.
    Unknown,
}

/// A section that is a resource.
pub(crate) struct ResourceSection<'a> {
    pub(crate) rid: Rid,
    /// The section's name.
    pub(crate) name: &'a str,
    /// Whether the object has it by itself. Then its section need not be written.
    pub(crate) implicit: bool,
    /// None if it is unknown, which was reported.
    pub(crate) driver: Option<DriverSchema<'a>>,
    /// The name of the unknown driver, if it is a valid name.
    pub(crate) unknown: Option<DriverName>,
    keywords: Rc<KeywordSet<'a>>,
}

/// A keyword that a section may hold, and whether it was called by an old name.
pub(crate) struct KeywordSpelling<'k> {
    pub(crate) keyword: &'k Keyword,
    pub(crate) old: bool,
}

/// The driver of a section whose group has no drivers here.
const ANY: &str = "any";

impl<'a> Outline<'a> {
    pub(crate) fn new(path: &ObjectPath, document: &'a Document, schemas: &'a dyn DriverSchemas) -> Outline<'a> {
        let mut outline = Outline {
            roles: HashMap::new(),
            spans: HashMap::new(),
            head: KeywordSet::default(),
            subset: KeywordSet::of(keyword::subset()),
            of_drivers: HashMap::new(),
            none: KeywordSet::default(),
            rids: HashMap::new(),
            resources: Vec::new(),
            causes: HashMap::new(),
            suggestions: Suggestions::default(),
            problems: Vec::new(),
            missing: Vec::new(),
        };
        let types = SectionTypes::of(path, document);
        for section in document.sections() {
            // A section that is written twice has the role of its first: the parser reports the second.
            if outline.roles.contains_key(section.name.as_str()) {
                continue;
            }
            let role = outline.role(path, &types, section, schemas);
            outline.roles.insert(&section.name, role);
            outline.spans.insert(&section.name, section.name_span);
        }
        // Last, because drivers add keywords to DEFAULT: those that their resources inherit from there.
        outline.head = outline.head(path);
        outline
    }

    fn role(
        &mut self,
        path: &ObjectPath,
        types: &SectionTypes<'_>,
        section: &'a Section,
        schemas: &'a dyn DriverSchemas,
    ) -> SectionRole {
        let has_resources = matches!(path.kind(), ObjectKind::Svc | ObjectKind::Vol);
        match section.name.as_str() {
            DEFAULT => SectionRole::Default,
            "env" => SectionRole::Free { scopable: true },
            "labels" | "data" => SectionRole::Free { scopable: false },
            "metadata" => SectionRole::Other,
            // A cluster has fences as an object has resources.
            name if path.kind() == ObjectKind::Ccfg && is_fence(name) => self.resource(types, section, schemas),
            // The other sections of clusters and namespaces are not those of objects, and are not checked here.
            _ if matches!(path.kind(), ObjectKind::Ccfg | ObjectKind::Nscfg) => SectionRole::Other,
            _ if !has_resources => {
                let message = format!("no section [{}] in an object of kind {}", section.name, path.kind());
                self.unknown(section, message, "expected DEFAULT, data, env or labels")
            }
            name => match name.strip_prefix("subset#") {
                Some(subset) => self.subset(section, subset),
                None if is_fence(name) => {
                    let message = format!("no section [{name}] in an object of kind {}", path.kind());
                    self.unknown(section, message, "fences stand in cluster.conf: om cluster config edit")
                }
                None => self.resource(types, section, schemas),
            },
        }
    }

    fn unknown(&mut self, section: &'a Section, message: impl Into<String>, label: impl Into<String>) -> SectionRole {
        let problem = Diagnostic::error(section.name_span, message, label);
        self.causes.insert(&section.name, problem.clone());
        self.problems.push(problem);
        SectionRole::Unknown
    }

    fn subset(&mut self, section: &'a Section, subset: &str) -> SectionRole {
        let parsed = subset.split_once(':').and_then(|(group, name)| Some((group.parse().ok()?, name.parse().ok()?)));
        match parsed {
            Some((group, name)) => SectionRole::Subset(group, name),
            _ => {
                let message = format!("[{}] names no subset", section.name);
                self.unknown(section, message, "expected subset#<group>:<name>, such as subset#app:web")
            }
        }
    }

    fn resource(
        &mut self,
        types: &SectionTypes<'_>,
        section: &'a Section,
        schemas: &'a dyn DriverSchemas,
    ) -> SectionRole {
        let (prefix, index) = section.name.split_once('#').unwrap_or((&section.name, ""));
        let renamed = keyword::renamed_section(prefix);
        let written = match renamed {
            Some(renamed) => format!("{}#{index}", renamed.group),
            None => section.name.clone(),
        };
        let rid: Rid = match written.parse() {
            Ok(rid) => rid,
            Err(error) => {
                let groups =
                    Group::ALL.map(Group::as_str).into_iter().chain([DEFAULT, "env", "labels", "data", "subset"]);
                let label = did_you_mean(prefix, groups, "expected DEFAULT, env, labels, data or <group>#<id>");
                return match Group::ALL.iter().any(|group| group.as_str() == prefix) {
                    true => self.unknown(section, error.to_string(), "expected an id, such as #1"),
                    false if keyword::SECTIONS.contains(&prefix) => {
                        let message = format!("[{}] is not supported here", section.name);
                        self.unknown(section, message, format!("nothing here does what OpenSVC's {prefix} does"))
                    }
                    false => self.unknown(section, format!("unknown section [{}]", section.name), label),
                };
            }
        };
        // `[disk#1]` and `[vg#1]` are one resource, so comparing the names of sections would not find this.
        if self.rids.contains_key(&rid) {
            return self.unknown(section, format!("a second section for {rid}"), "already written above");
        }
        let (driver, unknown) = match self.driver(types, section, rid.group(), renamed, schemas) {
            Ok(driver) => (Some(driver), None),
            // Without a driver it is still a resource: references and requirements that name it must not fail, too.
            Err(unknown) => (None, unknown),
        };
        // Not of a driver that is missing: that says enough.
        if let Some(RenamedSection { group, type_name, .. }) = renamed.filter(|_| driver.is_some()) {
            let message = format!("[{}] is an old kind of section", section.name);
            let label = format!("now [{group}#{index}] with type = {type_name}");
            self.problems.push(Diagnostic::warning(section.name_span, message, label));
        }
        let keywords = self.keywords_of(driver);
        let place = self.resources.len();
        self.rids.insert(rid.clone(), place);
        self.resources.push(ResourceSection { rid, name: &section.name, implicit: false, driver, unknown, keywords });
        SectionRole::Resource(place)
    }

    /// Adds the resources that every object of several nodes has implicitly. A written section of that name adds keywords to
    /// it.
    pub(crate) fn add_implicit(&mut self, schemas: &'a dyn DriverSchemas) {
        for ImplicitResource { name, driver } in schemas.implicit() {
            let Ok(rid) = name.parse::<Rid>() else { continue };
            if let Some(written) = self.rids.get(&rid).and_then(|place| self.resources.get_mut(*place)) {
                // A section of that id with another driver is a resource of the author's own.
                written.implicit = written.driver.is_some_and(|written| written.name == driver.name);
                continue;
            }
            let place = self.resources.len();
            self.roles.insert(name, SectionRole::Resource(place));
            self.rids.insert(rid.clone(), place);
            let keywords = self.keywords_of(Some(driver));
            self.resources.push(ResourceSection {
                rid,
                name,
                implicit: true,
                driver: Some(driver),
                unknown: None,
                keywords,
            });
        }
    }

    /// The keywords of the sections of a driver. Its own come first, and win, unless a third party wrote them: the default of a
    /// `pre_start` would otherwise be a command for root.
    fn keywords_of(&mut self, driver: Option<DriverSchema<'a>>) -> Rc<KeywordSet<'a>> {
        let own = driver.map(|driver| driver.keywords).unwrap_or_default();
        let (foreign, own): (Vec<_>, Vec<_>) = own.iter().partition(|keyword| keyword.foreign);
        let set = || Rc::new(KeywordSet::of(own.into_iter().chain(keyword::resource()).chain(foreign)));
        Rc::clone(self.of_drivers.entry(driver.map(|driver| driver.name)).or_insert_with(set))
    }

    /// The driver of a section, or the name of the missing driver.
    fn driver(
        &mut self,
        types: &SectionTypes<'_>,
        section: &'a Section,
        group: Group,
        renamed: Option<RenamedSection>,
        schemas: &'a dyn DriverSchemas,
    ) -> Result<DriverSchema<'a>, Option<DriverName>> {
        let entry = types.written(&section.name);
        let implicit = || schemas.implicit().into_iter().find(|implicit| implicit.name == section.name);
        // An old section such as `[vg#1]` says its type by its name.
        let fallback = renamed.map(|renamed| renamed.type_name);
        let fallback = fallback.or_else(|| implicit().map(|implicit| implicit.driver.name.name()));
        let fallback = fallback.or_else(|| schemas.default_type(group));
        let names = schemas.names(group);
        let written = match entry.map(|entry| types.read(entry)).transpose() {
            Ok(written) => written,
            Err(problem) => {
                self.causes.insert(&section.name, problem.clone());
                self.problems.push(problem);
                return Err(None);
            }
        };
        let Some(type_name) = written.as_deref().or(fallback) else {
            let (problem, name) = untyped(section, group, &names);
            self.causes.insert(&section.name, problem.clone());
            if name.is_some() {
                self.missing.push(problem)
            } else {
                self.problems.push(problem)
            }
            return Err(name);
        };
        let span = entry.map_or(section.name_span, |entry| entry.value_span);
        // An old name gives way only where its successor is installed: otherwise the driver may still go by it.
        let new = keyword::renamed_type(group, type_name).and_then(|new| Some((new, schemas.driver(group, new)?)));
        if let Some((new, driver)) = new {
            let message = format!("{group} type {type_name} is an old name");
            self.problems.push(Diagnostic::warning(span, message, format!("now called {new}")));
            return Ok(driver);
        }
        schemas.driver(group, type_name).ok_or_else(|| {
            let problem = unknown_driver(group, type_name, span, &names);
            self.causes.insert(&section.name, problem.clone());
            match DriverName::new(group, type_name) {
                Ok(name) => {
                    self.missing.push(problem);
                    Some(name)
                }
                // Not a valid name of a driver on any node, so the section cannot be a resource.
                Err(_) => {
                    self.problems.push(problem);
                    None
                }
            }
        })
    }

    /// The role of a section.
    pub(crate) fn of(&self, section: &str) -> Option<&SectionRole> {
        self.roles.get(section)
    }

    /// Why nothing is known of the keywords of a section. None if they are known.
    pub(crate) fn cause(&self, section: &str) -> Option<&Diagnostic> {
        self.causes.get(self.resource_of(section).map_or(section, |resource| resource.name))
    }

    /// Where to point when a section is at fault as a whole.
    pub(crate) fn span_of(&self, section: &str) -> Span {
        self.spans.get(section).copied().unwrap_or_default()
    }

    /// The resource of a section, by its id or by the old name of its section.
    pub(crate) fn resource_of(&self, section: &str) -> Option<&ResourceSection<'a>> {
        match self.roles.get(section) {
            Some(SectionRole::Resource(index)) => self.resources.get(*index),
            _ => {
                let place = self.rids.get(&section.parse::<Rid>().ok()?)?;
                self.resources.get(*place)
            }
        }
    }

    /// The resource of that id.
    pub(crate) fn resource_of_rid(&self, rid: &Rid) -> Option<&ResourceSection<'a>> {
        self.resources.get(*self.rids.get(rid)?)
    }

    /// The name of a section in messages: a resource's id.
    pub(crate) fn display_name(&self, section: &str) -> String {
        self.resource_of(section).map_or_else(|| section.to_owned(), |resource| resource.rid.to_string())
    }

    /// The sections that configure subsets.
    pub(crate) fn subsets(&self) -> impl Iterator<Item = (&'a str, (Group, SubsetName))> {
        self.roles.iter().filter_map(|(section, role)| match role {
            SectionRole::Subset(group, name) => Some((*section, (*group, name.clone()))),
            _ => None,
        })
    }

    /// Every keyword that a section may hold under its present name.
    pub(crate) fn keywords(&self, section: &str) -> &[&'a Keyword] {
        &self.keyword_set(section).list
    }

    /// The same, found by name. The driver's come first, and win.
    pub(crate) fn keyword_set(&self, section: &str) -> &KeywordSet<'a> {
        match self.roles.get(section) {
            Some(SectionRole::Default) => &self.head,
            Some(SectionRole::Subset(..)) => &self.subset,
            // A role is only made together with the resource that it points at, and resources are never removed.
            Some(SectionRole::Resource(index)) => &self.resources[*index].keywords,
            // An object without a section DEFAULT has its defaults all the same.
            None if section == DEFAULT => &self.head,
            _ => &self.none,
        }
    }

    /// The keywords of DEFAULT: the core's, and those of the drivers that their resources inherit from there.
    fn head(&self, path: &ObjectPath) -> KeywordSet<'a> {
        let mut head: Vec<&Keyword> = keyword::default().iter().collect();
        if path.kind() == ObjectKind::Usr {
            head.extend(keyword::user());
        }
        if path.kind() == ObjectKind::Vol {
            head.extend(keyword::volume());
        }
        let mut names: HashSet<&str> = head.iter().map(|keyword| keyword.name.as_str()).collect();
        let drivers = self.resources.iter().filter_map(|resource| resource.driver);
        for keyword in drivers.flat_map(|driver| driver.keywords) {
            if keyword.inherit == KeywordInheritance::Default && names.insert(&keyword.name) {
                head.push(keyword);
            }
        }
        KeywordSet::of(head)
    }

    /// The keyword that `option` means in a section.
    pub(crate) fn keyword(&self, section: &str, option: &str) -> Option<KeywordSpelling<'a>> {
        let keywords = self.keyword_set(section);
        if let Some(keyword) = keywords.get(option) {
            return Some(KeywordSpelling { keyword, old: false });
        }
        self.meant(section, option, &keywords.list)
            .into_iter()
            .next()
            .map(|keyword| KeywordSpelling { keyword, old: true })
    }

    /// Those of some keywords that `option` is a name of in a section, the present one or an old one.
    pub(crate) fn meant(&self, section: &str, option: &str, keywords: &[&'a Keyword]) -> Vec<&'a Keyword> {
        let renamed = self.group(section).and_then(|group| match option {
            // Not in the table of renamed keywords, because its value changes too: see `standby_of_old`.
            keyword::ALWAYS_ON => Some("standby"),
            _ => keyword::renamed_keyword(group, option),
        });
        let is_name = |keyword: &&'a Keyword| {
            keyword.name == option
                || keyword.aliases.iter().any(|alias| alias == option)
                || renamed == Some(keyword.name.as_str())
        };
        keywords.iter().copied().filter(is_name).collect()
    }

    /// Every name by which a section may call a keyword, the present one first.
    pub(crate) fn spellings<'k>(&self, section: &str, keyword: &'k Keyword) -> Vec<&'k str> {
        let aliases = keyword.aliases.iter().map(String::as_str);
        let renamed = self.group(section).into_iter().flat_map(|group| keyword::old_names(group, &keyword.name));
        std::iter::once(keyword.name.as_str()).chain(aliases).chain(renamed).collect()
    }

    fn group(&self, section: &str) -> Option<Group> {
        self.resource_of(section).map(|resource| resource.rid.group())
    }
}

/// Whether a section is a fence by its name, `fence#…` or `stonith#…`.
fn is_fence(section: &str) -> bool {
    let prefix = section.split_once('#').map_or(section, |(prefix, _)| prefix);
    let group = keyword::renamed_section(prefix).map(|renamed| renamed.group);
    group.or_else(|| prefix.parse().ok()) == Some(Group::Fence)
}

/// The problem of a section without a type, and the name of the driver that it would have: of a group that has none here, an
/// object is usable in part.
fn untyped(section: &Section, group: Group, names: &[String]) -> (Diagnostic, Option<DriverName>) {
    if names.is_empty() {
        let instead = keyword::ancestor_driver(group, ANY).unwrap_or_default();
        let problem =
            Diagnostic::error(section.name_span, format!("[{}] is not supported here", section.name), instead);
        return (problem, DriverName::new(group, ANY).ok());
    }
    let misspelt = section.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case("type"));
    let label = match misspelt {
        Some(entry) => format!("expected type, not {}", entry.key),
        None => format!("expected type = {}", alternatives(names)),
    };
    (Diagnostic::error(section.name_span, format!("{} has no type", section.name), label), None)
}

fn unknown_driver(group: Group, type_name: &str, span: Span, names: &[String]) -> Diagnostic {
    if let Some(instead) = keyword::ancestor_driver(group, type_name) {
        let none = || format!("nothing here does what OpenSVC's {type_name} does");
        let label = if instead.is_empty() { none() } else { instead.to_owned() };
        return Diagnostic::error(span, format!("{group}.{type_name} is not supported here"), label);
    }
    let otherwise = if names.is_empty() {
        format!("there is no driver of group {group}")
    } else {
        format!("expected {}", alternatives(names))
    };
    let label = did_you_mean(type_name, names.iter().map(String::as_str), &otherwise);
    Diagnostic::error(span, format!("unknown driver {group}.{type_name}"), label)
}
