//! A node's name, labels and configuration, which scopes and references ask for.

use std::collections::BTreeMap;

use crate::keyword;
use model::InvalidNodeName;
use model::NodeName;
use model::select::GlobPattern;

use crate::Document;

/// A node as configurations refer to it: its name, and its own configuration, already read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeData {
    /// The node's name.
    pub name: NodeName,
    /// The cluster's name, which ends the full names of its objects.
    pub cluster: String,
    /// Every node of the cluster with its labels, this one included. Node selectors select from them.
    pub peers: BTreeMap<NodeName, BTreeMap<String, String>>,
    /// The node that impersonates this one. `keywords` and `env` are that node's own then.
    pub seen_from: Option<NodeName>,
    /// `{node.<keyword>}`: section `node` of its configuration, under present and old names, defaults filled in.
    pub keywords: BTreeMap<String, String>,
    /// `{node.env.<name>}`: section `env`.
    pub env: BTreeMap<String, String>,
    /// `{node.labels.<name>}`: section `labels`.
    pub labels: BTreeMap<String, String>,
}

impl NodeData {
    /// A node with its configuration, before its peers are known.
    pub fn new(name: NodeName, configuration: &Document) -> NodeData {
        let section = |section: &str| -> BTreeMap<String, String> {
            let entries = configuration.section(section).into_iter().flat_map(|section| &section.entries);
            // node.conf belongs to one node, so its keys have no scopes. An entry that has one does not count.
            let unscoped = entries.filter(|entry| entry.scope().is_none());
            unscoped.map(|entry| (entry.key.clone(), entry.value.clone())).collect()
        };
        let labels = section("labels");
        NodeData {
            peers: BTreeMap::from([(name.clone(), labels.clone())]),
            keywords: keywords(section("node")),
            env: section("env"),
            labels,
            ..NodeData::alone(name)
        }
    }

    /// The same from the point of view of another node, for `eval --impersonate`.
    #[must_use]
    pub fn impersonating(&self, name: NodeName) -> NodeData {
        // To impersonate the same node once more must not forget whose configuration this is.
        let seen_from = Some(&self.name).filter(|own| **own != name).or(self.seen_from.as_ref()).cloned();
        NodeData { name, seen_from, ..self.clone() }
    }

    /// A node alone, without a configuration.
    pub fn alone(name: NodeName) -> NodeData {
        NodeData {
            peers: BTreeMap::from([(name.clone(), BTreeMap::new())]),
            name,
            cluster: "default".to_owned(),
            seen_from: None,
            keywords: keywords(BTreeMap::new()),
            env: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// The written keywords, and the defaults of the others.
fn keywords(mut written: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for keyword in keyword::node() {
        let old = keyword.aliases.iter().find_map(|alias| written.get(alias));
        if let Some(text) = old.or(keyword.default.as_ref()).cloned() {
            for name in keyword.aliases.iter().chain([&keyword.name]) {
                // References may use the old name or the present one, whichever of them node.conf sets.
                written.entry(name.clone()).or_insert_with(|| text.clone());
            }
        }
    }
    written
}

/// The nodes that the words of a selector name: a name is itself, a glob and a label (`<name>=<glob>`) are those of the
/// cluster that fit. No node is there twice.
pub(crate) fn select(text: &str, node: &NodeData) -> Result<Vec<NodeName>, String> {
    let mut selected = Vec::new();
    for word in text.split_whitespace() {
        for name in select_word(word, node)? {
            if !selected.contains(&name) {
                selected.push(name);
            }
        }
    }
    Ok(selected)
}

fn select_word(word: &str, node: &NodeData) -> Result<Vec<NodeName>, String> {
    if let Some((label, pattern)) = word.split_once('=') {
        let glob = GlobPattern::new(pattern).map_err(|error| error.to_string())?;
        let fits = |labels: &BTreeMap<String, String>| labels.get(label).is_some_and(|value| glob.matches(value));
        return Ok(node.peers.iter().filter(|(_, labels)| fits(labels)).map(|(name, _)| name.clone()).collect());
    }
    if GlobPattern::is_pattern(word) {
        let glob = GlobPattern::new(word).map_err(|error| error.to_string())?;
        return Ok(node.peers.keys().filter(|name| glob.matches(name.as_str())).cloned().collect());
    }
    // A plain name is taken as it stands, whether or not the cluster has that node: it may join later.
    Ok(vec![word.parse().map_err(|error: InvalidNodeName| error.to_string())?])
}
