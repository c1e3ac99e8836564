//! What `cluster.conf` says of the cluster: its name, its nodes, and the engine that they share.

use std::path::PathBuf;

use config::Document;
use model::{NodeName, ObjectPath};

use crate::Directories;
use crate::file::durable::FileError;

/// The cluster of this node, as `cluster.conf` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterData {
    pub name: String,
    /// In the order of the file.
    pub nodes: Vec<NodeName>,
    /// None: this node's own store, which no other node reaches.
    pub engine: Option<EngineAddress>,
}

/// How to reach the engine that the nodes share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineAddress {
    /// `http://10.0.0.1:2379`, the preferred member first.
    pub members: Vec<String>,
    pub files: Option<EngineFiles>,
}

/// The files for `https`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFiles {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why `cluster.conf` says nothing that can be followed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterDataError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: cluster.{keyword} = {value}: expected {expected}", file.display())]
    Value { file: PathBuf, keyword: &'static str, value: String, expected: String },
}

/// Reads what `cluster.conf` says of the cluster.
pub fn cluster_data(home: &Directories, me: &NodeName) -> Result<ClusterData, ClusterDataError> {
    let file = home.config(&ObjectPath::cluster());
    let document = super::document(&file)?;
    let reader = SectionReader { file, document };
    let name = reader.get("name").unwrap_or("default").to_owned();
    let nodes = reader.nodes()?;
    let engine = reader.engine()?;
    if engine.is_some() && !nodes.contains(me) {
        let value = reader.get("nodes").unwrap_or_default();
        return Err(reader.fault("nodes", value, format!("this node, {me}, among them, as cluster.engine is set")));
    }
    Ok(ClusterData { name, nodes, engine })
}

struct SectionReader {
    file: PathBuf,
    document: Document,
}

impl SectionReader {
    fn get(&self, keyword: &str) -> Option<&str> {
        self.document.get("cluster", keyword).map(str::trim).filter(|value| !value.is_empty())
    }

    fn fault(&self, keyword: &'static str, value: &str, expected: String) -> ClusterDataError {
        ClusterDataError::Value { file: self.file.clone(), keyword, value: value.to_owned(), expected }
    }

    fn nodes(&self) -> Result<Vec<NodeName>, ClusterDataError> {
        let words = self.get("nodes").unwrap_or_default().split_whitespace();
        let parse = |word: &str| word.parse().map_err(|error| self.fault("nodes", word, format!("a node: {error}")));
        words.map(parse).collect()
    }

    fn engine(&self) -> Result<Option<EngineAddress>, ClusterDataError> {
        let Some(written) = self.get("engine") else { return Ok(None) };
        let members: Vec<String> = written
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(|word| word.trim_end_matches('/').to_owned())
            .collect();
        let is_address = |member: &String| {
            let rest = member.strip_prefix("http://").or_else(|| member.strip_prefix("https://"));
            rest.and_then(|rest| rest.rsplit_once(':'))
                .is_some_and(|(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok())
        };
        if let Some(member) = members.iter().find(|member| !is_address(member)) {
            return Err(self.fault("engine", member, "an address as http://10.0.0.1:2379".to_owned()));
        }
        let files = self.files(members.iter().any(|member| member.starts_with("https://")))?;
        Ok(Some(EngineAddress { members, files }))
    }

    fn files(&self, needed: bool) -> Result<Option<EngineFiles>, ClusterDataError> {
        let file = |keyword: &'static str| {
            let path = self.get(keyword).map(PathBuf::from);
            path.ok_or_else(|| {
                self.fault(keyword, "", "the path of a file in PEM, as cluster.engine is https".to_owned())
            })
        };
        if !needed {
            return Ok(None);
        }
        Ok(Some(EngineFiles {
            authority: file("engine_ca")?,
            certificate: file("engine_certificate")?,
            key: file("engine_key")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::durable;

    fn read(text: &str) -> Result<ClusterData, String> {
        let (_root, home) = Directories::temporary();
        durable::write(&home.config(&ObjectPath::cluster()), text.as_bytes()).unwrap();
        cluster_data(&home, &"n1".parse().unwrap()).map_err(|error| {
            let text = error.to_string();
            text.split_once("cluster.conf: ").map_or(text.clone(), |(_, text)| text.to_owned())
        })
    }

    #[test]
    fn a_node_alone_has_its_own_store() {
        let alone = read("").unwrap();
        assert_eq!(alone, ClusterData { name: "default".to_owned(), nodes: Vec::new(), engine: None });
    }

    #[test]
    fn the_engine_is_named_by_its_members() {
        let text = "[cluster]\nname = blue\nnodes = n1 n2\nengine = http://10.0.0.1:2379, http://10.0.0.2:2379/\n";
        let blue = read(text).unwrap();
        assert_eq!((blue.name.as_str(), blue.nodes.len()), ("blue", 2));
        assert_eq!(blue.engine.unwrap().members, ["http://10.0.0.1:2379", "http://10.0.0.2:2379"]);
        let tls = "[cluster]\nnodes = n1\nengine = https://e:2379\nengine_ca = /ca\nengine_certificate = /crt\nengine_key = /key\n";
        assert_eq!(read(tls).unwrap().engine.unwrap().files.unwrap().key, PathBuf::from("/key"));
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_its_place() {
        for (text, expected) in [
            (
                "engine = 10.0.0.1:2379\nnodes = n1",
                "cluster.engine = 10.0.0.1:2379: expected an address as http://10.0.0.1:2379",
            ),
            (
                "engine = http://e:2379\nnodes = n2 n3",
                "cluster.nodes = n2 n3: expected this node, n1, among them, as cluster.engine is set",
            ),
            (
                "engine = https://e:2379\nnodes = n1",
                "cluster.engine_ca = : expected the path of a file in PEM, as cluster.engine is https",
            ),
        ] {
            assert_eq!(read(&format!("[cluster]\n{text}\n")).unwrap_err(), expected);
        }
        assert!(
            read("[cluster]\nnodes = n1 not/a/node\n")
                .unwrap_err()
                .starts_with("cluster.nodes = not/a/node: expected a node: ")
        );
    }
}
