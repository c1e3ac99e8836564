//! What `cluster.conf` says of the cluster: its name, its nodes, and the engine that they share.

use std::path::PathBuf;

use config::Document;
use model::{NodeName, ObjectPath};

use crate::file::durable::{self, FileError};
use crate::object::ObjectError;
use crate::{ChangeAuthor, Directories, ObjectFiles};

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

/// Makes `cluster.conf` say this of the cluster, and leaves all else of it. False: it did already.
pub fn write_cluster(home: &Directories, cluster: &ClusterData, by: &ChangeAuthor) -> Result<bool, ObjectError> {
    let path = ObjectPath::cluster();
    let old = durable::read(&home.config(&path))?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let new = written(old.as_deref().unwrap_or_default(), cluster);
    if old.as_deref() == Some(new.as_str()) {
        return Ok(false);
    }
    let files = ObjectFiles::of(home).by(by);
    match old {
        None => files.create(&path, &new)?,
        // Made of the text under the lock: since it was read above, an operator may have changed other keywords.
        Some(_) => files.edit(&path, |now| Ok::<_, ObjectError>(written(now, cluster)))?,
    }
    Ok(true)
}

/// A text, with these keywords of `[cluster]`.
fn written(text: &str, cluster: &ClusterData) -> String {
    let mut document = Document::parse(text);
    let words = cluster.nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ");
    let engine = cluster.engine.as_ref();
    let files = engine.and_then(|engine| engine.files.as_ref());
    let path = |path: &PathBuf| path.display().to_string();
    let keywords = [
        ("name", Some(cluster.name.clone())),
        ("nodes", Some(words).filter(|words| !words.is_empty())),
        ("engine", engine.map(|engine| engine.members.join(","))),
        ("engine_ca", files.map(|files| path(&files.authority))),
        ("engine_certificate", files.map(|files| path(&files.certificate))),
        ("engine_key", files.map(|files| path(&files.key))),
    ];
    for (keyword, value) in keywords {
        match value {
            // A value of one line, in a section that is made if it is missing: that cannot fail.
            Some(value) => drop(document.set("cluster", keyword, &value)),
            None => drop(document.unset("cluster", keyword)),
        }
    }
    document.text().to_owned()
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
    fn a_cluster_is_read_as_it_was_written_and_the_rest_of_the_file_stays() {
        let (_root, home) = Directories::temporary();
        let by = ChangeAuthor::of_process("om cluster init");
        let files = EngineFiles { authority: "/ca".into(), certificate: "/crt".into(), key: "/key".into() };
        let engine = EngineAddress { members: vec!["https://10.0.0.1:2379".to_owned()], files: Some(files) };
        let nodes = vec!["n1".parse().unwrap(), "n2".parse().unwrap()];
        let blue = ClusterData { name: "blue".to_owned(), nodes, engine: Some(engine) };
        assert!(write_cluster(&home, &blue, &by).unwrap());
        assert!(!write_cluster(&home, &blue, &by).unwrap());
        assert_eq!(cluster_data(&home, &"n1".parse().unwrap()).unwrap(), blue);
        let file = home.config(&ObjectPath::cluster());
        let text = format!("# ours\n{}secret = x\n", std::fs::read_to_string(&file).unwrap());
        std::fs::write(&file, text).unwrap();
        let alone = ClusterData { nodes: Vec::new(), engine: None, ..blue };
        assert!(write_cluster(&home, &alone, &by).unwrap());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("# ours\n") && text.contains("secret = x") && !text.contains("engine"), "{text}");
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
