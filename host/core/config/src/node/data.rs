//! A node's name, labels and configuration, which scopes and references ask for.

use std::collections::{BTreeMap, HashSet};

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
    /// The agent's directories: `{etc}` and `{var}`.
    pub places: NodePlaces,
    /// Whether the nodes of the cluster have the same configurations by themselves, so that none is copied.
    pub shares_configurations: bool,
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

/// Where the agent keeps its files on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlaces {
    /// Configurations.
    pub etc: String,
    /// What the agent remembers.
    pub var: String,
}

impl Default for NodePlaces {
    fn default() -> NodePlaces {
        NodePlaces { etc: "/etc/hostler".to_owned(), var: "/var/lib/hostler".to_owned() }
    }
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
        // The configuration stays that of the node that it was read on, however often another one is impersonated.
        let own = self.seen_from.as_ref().unwrap_or(&self.name);
        let seen_from = Some(own).filter(|own| **own != name).cloned();
        NodeData { name, seen_from, ..self.clone() }
    }

    /// A node alone, without a configuration.
    pub fn alone(name: NodeName) -> NodeData {
        NodeData {
            peers: BTreeMap::from([(name.clone(), BTreeMap::new())]),
            name,
            cluster: "default".to_owned(),
            places: NodePlaces::default(),
            shares_configurations: false,
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
        let names = [&keyword.name].into_iter().chain(&keyword.aliases);
        let text = names.clone().find_map(|name| written.get(name)).or(keyword.default.as_ref());
        if let Some(text) = text.cloned() {
            for name in names {
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
    let (mut selected, mut known) = (Vec::new(), HashSet::new());
    for word in text.split_whitespace() {
        for name in select_word(word, node)? {
            if known.insert(name.clone()) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, text: &str) -> NodeData {
        NodeData::new(name.parse().unwrap(), &Document::parse(text.to_owned()))
    }

    #[test]
    fn a_keyword_has_one_value_under_its_old_name_and_its_present_one() {
        for text in ["[node]\nenv = PRD\n", "[node]\nhost_mode = PRD\n"] {
            let node = named("n1", text);
            assert_eq!((node.keywords["env"].as_str(), node.keywords["host_mode"].as_str()), ("PRD", "PRD"), "{text}");
        }
    }

    #[test]
    fn impersonating_one_node_after_another_keeps_whose_configuration_it_is() {
        let name = |name: &str| -> NodeName { name.parse().unwrap() };
        let node = named("n1", "");
        let twice = node.impersonating(name("n2")).impersonating(name("n3"));
        assert_eq!((&twice.name, &twice.seen_from), (&name("n3"), &Some(name("n1"))));
        assert_eq!(twice.impersonating(name("n1")).seen_from, None);
    }
}
