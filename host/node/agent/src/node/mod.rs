//! The data of this node for the object model, from `node.conf` and the cluster's `cluster.conf`.

mod cluster;
mod outage;
pub mod paths;

use std::time::Duration;

use config::{ConfigKey, Document, NodeData, NodePlaces, ReadError, eval_node};
use model::{DriverName, NodeName, ObjectPath, convert};

use crate::Directories;
use crate::file::durable::{self, FileError};
use crate::log::LogLimits;

pub use cluster::{ClusterData, ClusterDataError, EngineAddress, EngineFiles, cluster_data, write_cluster};
pub(crate) use outage::engine_away;
pub use outage::{EngineAway, note_engine_away};

/// The production environment. Its nodes refuse objects of any other.
pub(crate) const PRD: &str = "PRD";

/// Reads the data of the node. A line that does not parse is ignored here; `om node validate` reports it. Without a daemon the
/// labels of other nodes are unknown.
pub fn node_data(home: &Directories, name: &NodeName) -> Result<NodeData, FileError> {
    let mut node = NodeData::new(name.clone(), &document(&home.node_config())?);
    let text = |directory: &std::path::Path| directory.to_string_lossy().into_owned();
    node.places = NodePlaces { etc: text(&home.etc), var: text(&home.var) };
    let cluster = document(&home.config(&ObjectPath::cluster()))?;
    if let Some(name) = cluster.get("cluster", "name") {
        node.cluster = name.to_owned();
    }
    node.shares_configurations = cluster.get("cluster", "engine").is_some_and(|engine| !engine.trim().is_empty());
    let written = cluster.get("cluster", "nodes").unwrap_or_default();
    // Without their labels, which only their own configurations hold.
    for peer in written.split_whitespace().filter_map(|node| node.parse().ok()) {
        node.peers.entry(peer).or_default();
    }
    Ok(node)
}

/// The limits of the node's logs: `node.log_max_size`, `node.log_keep`.
pub fn log_limits(node: &NodeData) -> LogLimits {
    let default = LogLimits::default();
    let value = |keyword: &str| node.keywords.get(keyword).map(String::as_str);
    LogLimits {
        bytes: value("log_max_size").and_then(|size| convert::size(size).ok()).unwrap_or(default.bytes),
        kept: value("log_keep").and_then(|count| count.parse().ok()).unwrap_or(default.kept),
    }
}

/// The limits that `[driver#<name>]` sets for calls of a driver. One that does not parse is an error: without it the driver
/// would run unlimited.
pub fn driver_limits(home: &Directories, driver: &DriverName) -> Result<grant::SandboxLimits, String> {
    let path = home.node_config();
    let document = document(&path).map_err(|error| crate::chain(&error))?;
    let value = |option: &str| match eval_node(&document, &ConfigKey::new(format!("driver#{driver}"), option)) {
        Ok(evaluated) => Ok(evaluated.values.first().and_then(|value| value.parse::<u64>().ok())),
        Err(ReadError::Unset(_)) => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    };
    Ok(grant::SandboxLimits {
        memory: value("memory")?,
        cpu: value("cpu")?.map(Duration::from_millis),
        wall: value("wall")?.map(Duration::from_millis),
        output: value("output")?,
    })
}

fn document(path: &std::path::Path) -> Result<Document, FileError> {
    let content = durable::read(path)?.unwrap_or_default();
    Ok(Document::parse(String::from_utf8_lossy(&content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(node: &str, cluster: &str) -> NodeData {
        let (_root, home) = Directories::temporary();
        durable::write(&home.node_config(), node.as_bytes()).unwrap();
        durable::write(&home.config(&ObjectPath::cluster()), cluster.as_bytes()).unwrap();
        node_data(&home, &"n1".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_node_without_files_is_alone() {
        let root = tempfile::tempdir().unwrap();
        let name: NodeName = "n1".parse().unwrap();
        let home = Directories::under(root.path());
        let node = node_data(&home, &name).unwrap();
        assert_eq!(node.places.etc, home.etc.to_string_lossy());
        assert_eq!(NodeData { places: NodePlaces::default(), ..node }, NodeData::alone(name));
    }

    #[test]
    fn the_node_speaks_for_itself_and_the_cluster_for_all() {
        let node = read(
            "[node]\nenv = PRD\n[env]\nport = 80\n[labels]\naz = fr1\n",
            "[cluster]\nname = blue\nnodes = n1 n2 n3\n",
        );
        assert_eq!(node.keywords.get("env").map(String::as_str), Some("PRD"));
        assert_eq!(node.env.get("port").map(String::as_str), Some("80"));
        assert_eq!(node.cluster, "blue");
        let peers: Vec<(&str, usize)> = node.peers.iter().map(|(name, labels)| (name.as_str(), labels.len())).collect();
        assert_eq!(peers, [("n1", 1), ("n2", 0), ("n3", 0)]);
    }

    #[test]
    fn a_broken_file_shows_what_is_readable() {
        let node = read("junk\n[node\n[labels]\naz = fr1\n", "[cluster]\nnodes = n2 not/a/node\n");
        assert_eq!(node.labels.get("az").map(String::as_str), Some("fr1"));
        assert_eq!(node.peers.keys().map(NodeName::as_str).collect::<Vec<_>>(), ["n1", "n2"]);
    }

    #[test]
    fn the_lower_limit_of_a_driver_holds() {
        let (_root, home) = Directories::temporary();
        let limits = |text: &str| {
            durable::write(&home.node_config(), text.as_bytes()).unwrap();
            driver_limits(&home, &"fs.flag".parse().unwrap())
        };
        let of_others = "[driver#fs.ext4]\nmemory = 1m\n";
        assert_eq!(limits(of_others), Ok(grant::SandboxLimits::default()));
        let own = limits("[driver#fs.flag]\nmemory = 64m\ncpu = 2s\nwall = 1m30s\noutput = 1k\n").unwrap();
        let millis = |millis| Some(Duration::from_millis(millis));
        let expected = grant::SandboxLimits {
            memory: Some(64 << 20),
            cpu: millis(2000),
            wall: millis(90_000),
            output: Some(1024),
        };
        assert_eq!(own, expected);
        let file = grant::SandboxLimits { memory: Some(1), cpu: millis(9000), ..grant::SandboxLimits::default() };
        assert_eq!(file.and(own), grant::SandboxLimits { memory: Some(1), ..own });
        let error = limits("[driver#fs.flag]\nmemory = 65m\n").unwrap_err();
        let expected = "driver#fs.flag.memory is not a limit: expected at most 64m, which is all that a call can have";
        assert!(error.ends_with(expected), "{error}");
        assert!(
            limits("[driver#fs.flag]\nmemory = much\n").unwrap_err().contains("driver#fs.flag.memory is not a size")
        );
    }

    #[test]
    fn log_limits_are_the_nodes_or_the_default() {
        let limits = |text| log_limits(&read(text, ""));
        assert_eq!(limits(""), LogLimits::default());
        assert_eq!(limits("[node]\nlog_max_size = 1m\nlog_keep = 3\n"), LogLimits { bytes: 1 << 20, kept: 3 });
        assert_eq!(limits("[node]\nlog_max_size = much\n"), LogLimits::default());
    }
}
