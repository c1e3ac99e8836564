//! Finds the values that hold on one node: scopes are chosen, defaults filled in.
//!
//! Values are still text here: conversion comes later. Each keyword is resolved once, however often it is referred to, so that
//! no configuration can make this take long.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::diagnostic::Diagnostic;
use crate::keyword::{ALWAYS_ON, AUTOSTART_NODE};
use model::convert::convert;
use model::keyword::{Keyword, KeywordInheritance, ValueKind};
use model::object::{LateValue, Provenance};
use model::{NodeName, ObjectPath};

use crate::document::key::UNSCOPED;
use crate::document::text::{DEFAULT, Entry};
use crate::node::data::{NodeData, select};
use crate::resolve::dereference::ValuePlace;
use crate::resolve::keyword_set::{KeywordSet, UnwrittenValue};
use crate::resolve::mentions::KeywordMentions;
use crate::resolve::outline::{Outline, SectionRole};
use crate::{Document, DriverSchemas};

/// The keyword that leaves a resource alone.
const DISABLE: &str = "disable";

/// The keywords of DEFAULT whose value is more than what is written there, or their default: see `computed`.
const COMPUTED: [&str; 6] = ["nodes", "drpnodes", "encapnodes", "flex_primary", "drp_flex_primary", "orchestrate"];

/// The characters without which a text holds no reference.
const REFERENCES: [char; 3] = ['{', '$', '\\'];

/// The nodes that an object names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObjectNodes {
    pub(crate) nodes: Vec<NodeName>,
    pub(crate) drpnodes: Vec<NodeName>,
    pub(crate) encapnodes: Vec<NodeName>,
    pub(crate) flex_primary: Option<NodeName>,
    pub(crate) drp_flex_primary: Option<NodeName>,
}

/// The meaning of a document's keywords on one node.
pub(crate) struct KeywordResolver<'a> {
    pub(crate) path: &'a ObjectPath,
    pub(crate) outline: Outline<'a>,
    pub(crate) members: ObjectNodes,
    pub(crate) node: &'a NodeData,
    index: EntryIndex<'a>,
    mentions: KeywordMentions<'a>,
    /// The scopes that hold on this node, most specific first.
    scopes: Vec<String>,
    /// The other nodes of the object, and the scopes that hold there.
    others: OnceCell<Vec<(NodeName, Vec<String>)>>,
    /// The length of all values so far.
    pub(crate) spent: Cell<usize>,
    known: RefCell<HashMap<(String, String), ResolvedValue>>,
    /// The keywords that are being resolved, to detect a loop.
    pub(crate) stack: RefCell<Vec<(String, String)>>,
}

/// The entries of a section by option, one for each scope.
pub(crate) type OptionIndex<'a> = HashMap<&'a str, Vec<&'a Entry>>;

/// The options of each section.
pub(crate) type EntryIndex<'a> = HashMap<&'a str, OptionIndex<'a>>;

fn index(document: &Document) -> EntryIndex<'_> {
    let mut index = EntryIndex::new();
    let mut last = HashSet::new();
    for section in document.sections().iter().rev() {
        let options = index.entry(&section.name).or_default();
        // Of an entry that is written twice, only the last one counts.
        for entry in section.entries.iter().rev().filter(|entry| last.insert((&section.name, &entry.key))) {
            // A key of a section without scopes can hold an @.
            let has_scopes = !UNSCOPED.contains(&section.name.as_str());
            options.entry(if has_scopes { entry.option() } else { &entry.key }).or_default().push(entry);
        }
    }
    index
}

/// A value, no value, or the problem that prevents one.
pub(crate) type ResolvedValue = Result<Option<LateValue>, Diagnostic>;

/// Where the text of a value comes from.
#[derive(Clone, Copy)]
pub(crate) enum ValueSource<'a> {
    Written(&'a Entry),
    Default(&'a str),
}

impl<'a> KeywordResolver<'a> {
    /// Prepares a document for a node. The problems of the lists of nodes are among those of the outline.
    pub(crate) fn new(
        path: &'a ObjectPath,
        document: &'a Document,
        node: &'a NodeData,
        schemas: &'a dyn DriverSchemas,
    ) -> KeywordResolver<'a> {
        let (outline, index) = (Outline::new(path, document, schemas), index(document));
        let mut resolver = KeywordResolver {
            path,
            members: ObjectNodes::default(),
            node,
            mentions: KeywordMentions::of(&outline, &index),
            outline,
            index,
            // The lists of nodes cannot be scoped by what they define.
            scopes: vec![node.name.to_string()],
            others: OnceCell::new(),
            spent: Cell::new(0),
            known: RefCell::default(),
            stack: RefCell::default(),
        };
        // The order matters: the lists of nodes decide which scopes hold, and the scopes decide every other value.
        resolver.members = resolver.read_members();
        resolver.scopes = resolver.members.scopes(&node.name);
        // A node outside of the cluster gets what is copied, and nothing else.
        let copies = !node.shares_configurations || !resolver.members.are_all_in(&node.peers);
        let has_resources = matches!(path.kind(), model::ObjectKind::Svc | model::ObjectKind::Vol);
        if resolver.members.are_several() && copies && has_resources {
            resolver.outline.add_implicit(schemas);
        }
        // Values resolved so far were chosen without the scopes of the object's nodes.
        resolver.known.take();
        resolver
    }

    fn read_members(&mut self) -> ObjectNodes {
        let nodes = self.member_list("nodes").unwrap_or_else(|| self.default_nodes());
        let first = self.member_list(AUTOSTART_NODE).unwrap_or_default();
        // The first of the nodes counts for placement, and the old keyword `autostart_node` names it.
        let (mut ordered, others): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|name| first.contains(name));
        ordered.sort_by_key(|name| first.iter().position(|other| other == name));
        ordered.extend(others);
        let drpnodes = self.member_list("drpnodes").unwrap_or_default();
        // A selector may mean several nodes, but there is one primary.
        let one = |list: Option<Vec<NodeName>>| list.and_then(|list| list.into_iter().next());
        ObjectNodes {
            flex_primary: one(self.member_list("flex_primary")).or_else(|| ordered.first().cloned()),
            drp_flex_primary: one(self.member_list("drp_flex_primary")).or_else(|| drpnodes.first().cloned()),
            encapnodes: self.member_list("encapnodes").unwrap_or_default(),
            nodes: ordered,
            drpnodes,
        }
    }

    fn default_nodes(&self) -> Vec<NodeName> {
        match self.path.kind() {
            model::ObjectKind::Svc | model::ObjectKind::Vol => vec![self.node.name.clone()],
            // The other kinds run nowhere: every node of the cluster may use them.
            _ => self.node.peers.keys().cloned().collect(),
        }
    }

    /// A list of nodes as DEFAULT has it. None if it is not written, or wrong, which is reported.
    fn member_list(&mut self, name: &str) -> Option<Vec<NodeName>> {
        let entry = self.entry(DEFAULT, &[name], true)?;
        let selected = match self.template(&self.place(DEFAULT, ValueSource::Written(entry))) {
            Err(problem) => Err(problem),
            // Without nodes the object could run nowhere. The other lists may be empty.
            Ok(value) if value.as_text().is_some_and(|text| text.trim().is_empty()) && name == "nodes" => {
                let label = "expected names of nodes; without the line, it is this node alone";
                Err(Diagnostic::error(entry.value_span, format!("{name} names no nodes"), label))
            }
            Ok(value) => select(&value.as_text().unwrap_or_default(), self.node)
                .map_err(|label| Diagnostic::error(entry.value_span, format!("{name} names no nodes"), label)),
        };
        selected.map_err(|problem| self.outline.problems.push(problem)).ok()
    }

    /// The entry that holds on this node: the scope decides first, then the name.
    fn entry(&self, section: &str, names: &[&str], scopable: bool) -> Option<&'a Entry> {
        self.entry_where(if scopable { &self.scopes } else { &[] }, section, names)
    }

    /// The entry that holds where these scopes do.
    fn entry_where(&self, scopes: &[String], section: &str, names: &[&str]) -> Option<&'a Entry> {
        let options = self.index.get(section)?;
        let found: Vec<&'a Entry> = names.iter().filter_map(|name| options.get(name)).flatten().copied().collect();
        // A scoped entry under an old name wins over an unscoped one under the present name: the scope was meant for this
        // node.
        let scoped = scopes.iter().find_map(|scope| found.iter().find(|entry| entry.scope() == Some(scope)));
        // `found` keeps the order of the names, so the present name wins over the old ones. Only the winner counts:
        // the values of several scopes are not merged.
        scoped.or_else(|| found.iter().find(|entry| names.contains(&entry.key.as_str()))).copied()
    }

    /// The entry that a keyword of a section reads, inherited or not.
    pub(crate) fn written(&self, section: &str, keyword: &Keyword) -> Option<&'a Entry> {
        // By far the commonest case, and the cheapest test: see `mentions`.
        if !self.mentions.may_hold(section, keyword) {
            return None;
        }
        let own = self.entry(section, &self.outline.spellings(section, keyword), keyword.scopable);
        if own.is_some() || keyword.inherit == KeywordInheritance::No || section == DEFAULT {
            return own;
        }
        // DEFAULT may know it by an old name of its own.
        let head = self.outline.keyword(DEFAULT, &keyword.name).map_or(keyword, |spelling| spelling.keyword);
        self.entry(DEFAULT, &self.outline.spellings(DEFAULT, head), head.scopable)
    }

    /// The old keyword that lists the nodes on which a resource is standby.
    pub(crate) fn always_on(&self, section: &str) -> Option<&'a Entry> {
        self.entry(section, &[ALWAYS_ON], true)
    }

    /// Where the value of a keyword comes from.
    pub(crate) fn source<'k>(&self, section: &str, keyword: &'k Keyword) -> Option<ValueSource<'k>>
    where
        'a: 'k,
    {
        let written = self.written(section, keyword).map(ValueSource::Written);
        // A default that refers to a resource which the object does not have does not count.
        let default =
            || keyword.default.as_deref().filter(|text| !text.contains('{') || !self.lacks_neighbour(section, text));
        let default = || default().filter(|text| !keyword.foreign || may_be_foreign(keyword, text));
        written.or_else(|| default().map(ValueSource::Default))
    }

    /// Whose word the value of a keyword is.
    pub(crate) fn provenance(&self, section: &str, keyword: &Keyword, value: &LateValue) -> Provenance {
        let written = self.written(section, keyword);
        match (written, keyword.store, value.late().next()) {
            (None, ..) if keyword.foreign => Provenance::ThirdPartyDefault,
            // A value made of the devices of several resources counts as the first one's.
            (_, _, Some(late)) => Provenance::exposed_by(late.rid.clone()),
            (Some(_), Some(kind), None) => Provenance::Store(kind),
            (Some(entry), None, None) => Provenance::Written { line: entry.line },
            (None, _, None) => Provenance::BuiltInDefault,
        }
    }

    /// Whether a keyword is worth no more than what the manifest of a third party says.
    pub(crate) fn is_foreign_default(&self, section: &str, keyword: &Keyword) -> bool {
        keyword.foreign && keyword.default.is_some() && self.written(section, keyword).is_none()
    }

    /// The value of a keyword. None if it is neither written nor has a default.
    pub(crate) fn value(&self, section: &str, keyword: &Keyword) -> ResolvedValue {
        if self.is_untouched(section, keyword) {
            // Most keywords end here, without the two strings that a look into `known` costs.
            let default = keyword.default.as_deref();
            return Ok(default.map(|text| LateValue { secret: keyword.secret, ..LateValue::text(text) }));
        }
        self.remembered(section, &keyword.name, || {
            let value = match self.computed(section, keyword)? {
                Some(value) => Some(value),
                None => {
                    let source = self.source(section, keyword);
                    source.map(|source| self.template(&self.place(section, source))).transpose()?
                }
            };
            let value = value.map(|value| if keyword.volumes { self.with_volumes(value) } else { value });
            Ok(value.map(|value| LateValue { secret: value.secret || keyword.secret, ..value }))
        })
    }

    /// Which keywords of a section may be written, by their places in the section's set.
    pub(crate) fn written_places(&self, section: &str, keywords: &KeywordSet<'_>) -> Vec<bool> {
        let mut written = vec![false; keywords.list.len()];
        let [own, inherited] = self.mentions.names_in(section);
        own.filter_map(|name| keywords.place(name)).for_each(|place| written[place] = true);
        for place in inherited.filter_map(|name| keywords.place(name)) {
            written[place] |= keywords.list[place].inherit != KeywordInheritance::No;
        }
        written
    }

    /// Whether the value of a keyword is its default as it stands: no other is written, and it holds no reference.
    fn is_untouched(&self, section: &str, keyword: &Keyword) -> bool {
        // What `always_on` makes of `standby` is a mention of it.
        is_plain(section, keyword) && !self.mentions.may_hold(section, keyword)
    }

    /// What a keyword that no section of its set may hold is worth in all of them. None if that depends on the section, or does
    /// not convert, which is reported in each of them.
    pub(crate) fn unwritten(&self, section: &str, keyword: &Keyword) -> Option<UnwrittenValue> {
        if !is_plain(section, keyword) {
            return None;
        }
        let Some(text) = keyword.default.as_deref() else { return Some(None) };
        self.converted(section, keyword, text, || self.outline.span_of(section)).ok().map(Some)
    }

    /// Resolves a keyword once, and remembers the result.
    pub(crate) fn remembered(
        &self,
        section: &str,
        name: &str,
        resolve: impl FnOnce() -> ResolvedValue,
    ) -> ResolvedValue {
        let key = (section.to_owned(), name.to_owned());
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        // The stack shows a loop of references to `guarded`. The borrow must not be held while resolving, which comes back
        // here.
        self.stack.borrow_mut().push(key.clone());
        let resolved = resolve();
        self.stack.borrow_mut().pop();
        self.known.borrow_mut().insert(key, resolved.clone());
        resolved
    }

    /// The value of a keyword that is more than what is written.
    fn computed(&self, section: &str, keyword: &Keyword) -> ResolvedValue {
        let list = |names: &[NodeName]| {
            let names: Vec<&str> = names.iter().map(NodeName::as_str).collect();
            Some(LateValue::text(names.join(" ")))
        };
        if keyword.name == "standby" && self.written(section, keyword).is_none() {
            return self.always_on(section).map(|entry| self.standby_of_old(section, entry)).transpose();
        }
        if section != DEFAULT {
            return Ok(None);
        }
        Ok(match keyword.name.as_str() {
            // Not resolved again: the scopes are known by now, and `nodes@nodes` would define itself.
            "nodes" => list(&self.members.nodes),
            "drpnodes" => list(&self.members.drpnodes),
            "encapnodes" => list(&self.members.encapnodes),
            "flex_primary" => self.members.flex_primary.as_ref().map(|name| LateValue::text(name.as_str())),
            "drp_flex_primary" => self.members.drp_flex_primary.as_ref().map(|name| LateValue::text(name.as_str())),
            // The old keyword also meant that the object is started at boot.
            "orchestrate" if self.written(section, keyword).is_none() => {
                self.entry(DEFAULT, &[AUTOSTART_NODE], true).map(|_| LateValue::text("start"))
            }
            _ => None,
        })
    }

    /// `always_on = nodes drpnodes n7`: the sets of nodes, and the nodes, where the resource is standby.
    fn standby_of_old(&self, section: &str, entry: &Entry) -> Result<LateValue, Diagnostic> {
        let text = self.template(&self.place(section, ValueSource::Written(entry)))?.as_text().unwrap_or_default();
        // The words are sets of nodes or names of nodes, and so are the scopes.
        let holds = text.split_whitespace().any(|word| self.scopes.iter().any(|scope| scope == word));
        Ok(LateValue::text(holds.to_string()))
    }

    /// The other nodes of the object on which the resource of a section is disabled. A value with references counts as false
    /// there, because only that node can resolve it, and a resource that may be in use must not be taken for disabled.
    pub(crate) fn disabled_on(&self, section: &str) -> Vec<NodeName> {
        // Few sections write it, and the scopes of every node are not free to compute.
        if !self.index.get(section).is_some_and(|options| options.contains_key(DISABLE)) {
            return Vec::new();
        }
        let is_disabled = |(_, scopes): &&(NodeName, Vec<String>)| {
            let entry = self.entry_where(scopes, section, &[DISABLE]);
            entry.is_some_and(|entry| convert(ValueKind::Boolean, &entry.value).is_ok_and(|values| values == ["true"]))
        };
        let others = self.others.get_or_init(|| {
            let names: BTreeSet<&NodeName> = self.members.all().filter(|node| **node != self.node.name).collect();
            names.into_iter().map(|node| (node.clone(), self.members.scopes(node))).collect()
        });
        others.iter().filter(is_disabled).map(|(node, _)| node.clone()).collect()
    }

    /// Whether a scope holds on this node.
    pub(crate) fn holds(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }

    /// The value of a key of a section whose keywords are free, or unknown. Labels and data know neither scopes nor references.
    pub(crate) fn free_value(&self, section: &str, name: &str) -> ResolvedValue {
        let scopable = !matches!(self.outline.of(section), Some(SectionRole::Free { scopable: false }));
        let Some(entry) = self.entry(section, &[name], scopable) else { return Ok(None) };
        if scopable { self.entry_value(section, entry).map(Some) } else { Ok(Some(LateValue::text(&entry.value))) }
    }

    /// The values with the names of secrets in sections where any name may stand. One that refers to others is made of theirs.
    pub(crate) fn free_secrets(&self) -> Vec<String> {
        // Shorter ones stand in too many other words.
        const TELLING: usize = 4;
        let is_free = |section: &str| matches!(self.outline.of(section), Some(SectionRole::Free { scopable: true }));
        let options = self.index.iter().filter(|(section, _)| is_free(section)).flat_map(|(_, options)| options);
        let entries = options.filter(|(option, _)| model::is_secret_name(option)).flat_map(|(_, entries)| entries);
        let values = entries.map(|entry| entry.value.trim().to_owned());
        values.filter(|value| value.len() >= TELLING && !value.contains('{')).collect()
    }

    /// Every problem of one entry's references.
    pub(crate) fn entry_problems(&self, section: &str, entry: &Entry) -> Vec<Diagnostic> {
        self.unresolved(&ValuePlace { section, text: &entry.value, entry: Some(entry), fallback: entry.value_span })
    }

    /// The value of one entry, whether or not it is the one that holds here.
    pub(crate) fn entry_value(&self, section: &str, entry: &Entry) -> Result<LateValue, Diagnostic> {
        self.template(&ValuePlace { section, text: &entry.value, entry: Some(entry), fallback: entry.value_span })
    }
}

/// Whether a keyword that is not written is worth its default as it stands.
fn is_plain(section: &str, keyword: &Keyword) -> bool {
    let is_computed = section == DEFAULT && COMPUTED.contains(&keyword.name.as_str());
    let is_text = |text: &str| !text.contains(REFERENCES) && (!keyword.foreign || may_be_foreign(keyword, text));
    !is_computed && keyword.default.as_deref().is_none_or(is_text)
}

/// Whether the manifest of a third party may have this default: one that names another keyword, or a data store, would hand over
/// what nobody who wrote the configuration gave.
fn may_be_foreign(keyword: &Keyword, default: &str) -> bool {
    keyword.store.is_none() && !default.contains(REFERENCES)
}

impl ObjectNodes {
    fn scopes(&self, node: &NodeName) -> Vec<String> {
        let sets = [
            // In the order of OpenSVC, which decides if an entry stands under several of them: the first one wins.
            ("nodes", self.nodes.contains(node)),
            ("drpnodes", self.drpnodes.contains(node)),
            ("encapnodes", self.encapnodes.contains(node)),
            ("flex_primary", self.flex_primary.as_ref() == Some(node)),
            ("drp_flex_primary", self.drp_flex_primary.as_ref() == Some(node)),
        ];
        let held = sets.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name.to_owned());
        std::iter::once(node.to_string()).chain(held).collect()
    }

    /// Whether more than one node may run the object.
    fn are_several(&self) -> bool {
        // A node may be in both lists, so counting them would not do.
        let mut all = self.nodes.iter().chain(&self.drpnodes);
        all.next().is_some_and(|first| all.any(|other| other != first))
    }

    /// Whether all of them are nodes of the cluster.
    fn are_all_in<T>(&self, peers: &BTreeMap<NodeName, T>) -> bool {
        self.nodes.iter().chain(&self.drpnodes).all(|node| peers.contains_key(node))
    }

    /// Every node that the object names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &NodeName> {
        self.nodes.iter().chain(&self.drpnodes).chain(&self.encapnodes)
    }
}
