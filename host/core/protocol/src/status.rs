//! The status of an instance and of its resources.
//!
//! `om … print status --format json` prints it, the agent keeps it in a cache file. The members named `internal` are for the
//! agent and for the command line alone: [`InstanceDocument::published`] takes them out before a document is printed.

use std::time::Duration;

use driver::DriverFault;
use model::select::Selectable;
use model::status::{Provisioned, RemainingRestarts, ResourceFlags, State};
use model::{DriverName, NodeName, ObjectPath, Rid};
use serde::{Deserialize, Serialize};

use crate::{LogLevel, word};

/// The status of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceDocument {
    #[serde(with = "word")]
    pub path: ObjectPath,
    #[serde(with = "word")]
    pub node: NodeName,
    #[serde(with = "word")]
    pub avail: State,
    #[serde(with = "word")]
    pub overall: State,
    #[serde(with = "word")]
    pub optional: State,
    #[serde(with = "word")]
    pub provisioned: Provisioned,
    /// Whether automatic actions are prevented.
    pub frozen: bool,
    /// When the drivers were asked, in seconds since 1970.
    pub updated_at: i64,
    /// The notes in sentences, which the edge that publishes the document writes.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What is still held for sections that no driver is asked about, such as those that are gone from the configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<OrphanDocument>,
    /// In the order of their ids.
    #[serde(with = "by_rid")]
    pub resources: Vec<ResourceDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<InternalInstanceDocument>,
}

/// The part of the status of an instance that is not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InternalInstanceDocument {
    /// Whether the tree shows disabled resources.
    pub show_disabled: bool,
    /// Facts beyond the resources that a reader should know.
    pub notes: Vec<NoteDocument>,
}

/// A note on an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteDocument {
    /// The configuration has errors, and an earlier version without errors is in use.
    EarlierConfiguration { errors: usize },
    /// The configuration has errors, and everything else in it is in use.
    PartOfConfiguration { errors: usize },
    /// An action was interrupted. The next action recovers it.
    Interrupted { action: String },
    /// An action failed the last time it was tried: how, and at which time.
    Failed { action: String, how: String, at: String },
}

/// A thing that is still held for a section that no driver is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanDocument {
    /// The name of the section. Empty if that is not known.
    pub rid: String,
    /// What is held, for people.
    pub label: String,
    /// Why no driver is asked: `gone`, `disabled` or `encap`; `unverified` if the record of what is held cannot be read.
    pub reason: String,
}

/// The status of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDocument {
    /// The key of the resource in [`InstanceDocument::resources`].
    #[serde(skip, default = "no_rid")]
    pub rid: Rid,
    #[serde(rename = "type", with = "word")]
    pub driver: DriverName,
    #[serde(with = "word")]
    pub status: State,
    /// A few words that identify the resource.
    pub label: String,
    /// The driver's messages, and its fault if it could not answer.
    pub log: Vec<StatusMessage>,
    #[serde(with = "word")]
    pub provisioned: Provisioned,
    pub monitor: bool,
    pub disable: bool,
    pub optional: bool,
    pub encap: bool,
    pub standby: bool,
    pub subset: Option<String>,
    pub tags: Vec<String>,
    pub exposes: Vec<ExposedValue>,
    pub uses: Vec<ExposedValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<InternalResourceDocument>,
}

/// The part of the status of a resource that is not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InternalResourceDocument {
    /// Whether the members of the subset act at the same time.
    pub parallel: bool,
    pub running: bool,
    #[serde(with = "RestartsDocument")]
    pub restarts_left: RemainingRestarts,
    /// The fault, which is also the last message.
    pub fault: Option<FaultDocument>,
}

/// A message of a driver about a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusMessage {
    pub level: LogLevel,
    pub message: String,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposedValue {
    pub name: String,
    pub value: String,
}

/// The status of an object that has no instance on this node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbsentInstance {
    #[serde(with = "word")]
    pub path: ObjectPath,
    #[serde(with = "word")]
    pub avail: State,
    #[serde(with = "word")]
    pub overall: State,
    #[serde(with = "word")]
    pub provisioned: State,
    pub notes: Vec<String>,
    #[serde(with = "by_rid")]
    pub resources: Vec<ResourceDocument>,
}

impl AbsentInstance {
    /// An object that is not here, and the reason.
    pub fn new(path: ObjectPath, note: String) -> AbsentInstance {
        // Not undef: it is known that nothing is here.
        let (avail, overall, provisioned) = (State::Na, State::Na, State::Na);
        AbsentInstance { path, avail, overall, provisioned, notes: vec![note], resources: Vec::new() }
    }
}

impl InstanceDocument {
    /// The document without what is not published.
    #[must_use]
    pub fn published(mut self) -> InstanceDocument {
        self.internal = None;
        self.resources.iter_mut().for_each(|resource| resource.internal = None);
        self
    }

    /// Whether the tree shows disabled resources.
    pub fn show_disabled(&self) -> bool {
        self.internal.as_ref().is_some_and(|internal| internal.show_disabled)
    }
}

impl ResourceDocument {
    /// The flags, as the column of a status shows them.
    pub fn flags(&self) -> ResourceFlags {
        ResourceFlags {
            // A published document has lost this, and then no flag is claimed.
            running: self.internal.as_ref().is_some_and(|internal| internal.running),
            monitored: self.monitor,
            disabled: self.disable,
            optional: self.optional,
            encap: self.encap,
            provisioned: self.provisioned,
            standby: self.standby,
            restarts_left: self.internal.as_ref().map_or(RemainingRestarts::None, |internal| internal.restarts_left),
        }
    }

    /// The subset whose members act at the same time, if the resource is in one.
    pub fn parallel_subset(&self) -> Option<&str> {
        let parallel = self.internal.as_ref().is_some_and(|internal| internal.parallel);
        self.subset.as_deref().filter(|_| parallel)
    }
}

impl Selectable for ResourceDocument {
    fn rid(&self) -> &Rid {
        &self.rid
    }
    fn driver(&self) -> &DriverName {
        &self.driver
    }
    fn tags(&self) -> &[String] {
        &self.tags
    }
    fn subset(&self) -> Option<&str> {
        self.subset.as_deref()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RemainingRestarts")]
enum RestartsDocument {
    None,
    Left(u32),
    Stopped,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "DriverFault")]
enum FaultWords {
    Trap(String),
    Cpu(Duration),
    Wall(Duration),
    Memory(u64),
    Stack,
    Stuck(String),
    Missing { driver: String, reason: String },
}

/// The reason why a driver could not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultDocument(#[serde(with = "FaultWords")] pub DriverFault);

/// The placeholder until [`by_rid`] has read the key.
fn no_rid() -> Rid {
    // No reader sees it: either the key of the map replaces it, or the whole document is refused.
    "task#unread".parse().expect("this is the id of a resource")
}

/// Resources as a map from their ids.
mod by_rid {
    use std::collections::BTreeMap;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ResourceDocument;

    pub(super) fn serialize<S: Serializer>(resources: &[ResourceDocument], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(resources.iter().map(|resource| (resource.rid.to_string(), resource)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ResourceDocument>, D::Error> {
        let named = BTreeMap::<String, ResourceDocument>::deserialize(deserializer)?;
        let with_rid = |(rid, resource): (String, ResourceDocument)| {
            Ok(ResourceDocument { rid: rid.parse().map_err(D::Error::custom)?, ..resource })
        };
        let mut resources: Vec<ResourceDocument> = named.into_iter().map(with_rid).collect::<Result<_, D::Error>>()?;
        // The map was sorted as text, where fs#10 comes before fs#2.
        resources.sort_by(|a, b| a.rid.cmp(&b.rid));
        Ok(resources)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(rid: &str) -> ResourceDocument {
        ResourceDocument {
            rid: rid.parse().unwrap(),
            driver: "fs.ext4".parse().unwrap(),
            status: State::StdbyUp,
            label: "ext4 /dev/loop0@/srv/web".to_owned(),
            log: vec![StatusMessage { level: LogLevel::Warn, message: "nearly full".to_owned() }],
            provisioned: Provisioned::True,
            monitor: true,
            disable: false,
            optional: false,
            encap: false,
            standby: true,
            subset: None,
            tags: vec!["db".to_owned()],
            exposes: vec![ExposedValue { name: "device".to_owned(), value: "/dev/loop0".to_owned() }],
            uses: Vec::new(),
            internal: Some(InternalResourceDocument {
                parallel: false,
                running: false,
                restarts_left: RemainingRestarts::Left(3),
                fault: Some(FaultDocument(DriverFault::Stack)),
            }),
        }
    }

    fn instance() -> InstanceDocument {
        InstanceDocument {
            path: "web".parse().unwrap(),
            node: "n1".parse().unwrap(),
            avail: State::StdbyUp,
            overall: State::Warn,
            optional: State::Na,
            provisioned: Provisioned::Mixed,
            frozen: true,
            updated_at: 1_000,
            notes: vec!["start was interrupted".to_owned()],
            orphans: vec![OrphanDocument {
                rid: "app#2".to_owned(),
                label: "processes".to_owned(),
                reason: "gone".to_owned(),
            }],
            resources: ["fs#2", "fs#10"].map(resource).to_vec(),
            internal: Some(InternalInstanceDocument {
                show_disabled: true,
                notes: vec![NoteDocument::Interrupted { action: "start".to_owned() }],
            }),
        }
    }

    #[test]
    fn a_status_is_read_as_it_was_written() {
        let text = serde_json::to_string(&instance()).unwrap();
        assert_eq!(serde_json::from_str::<InstanceDocument>(&text).unwrap(), instance());
    }

    #[test]
    fn a_published_status_has_no_internal_members() {
        let published = serde_json::to_value(instance().published()).unwrap();
        let members: Vec<&String> = published.as_object().unwrap().keys().collect();
        let expected = [
            "avail",
            "frozen",
            "node",
            "notes",
            "optional",
            "orphans",
            "overall",
            "path",
            "provisioned",
            "resources",
            "updated_at",
        ];
        assert_eq!(members, expected);
        let resource = &published["resources"]["fs#10"];
        assert_eq!(resource["log"], json!([{"level": "warn", "message": "nearly full"}]));
        assert_eq!(resource["exposes"], json!([{"name": "device", "value": "/dev/loop0"}]));
        assert_eq!((&resource["type"], &resource["status"]), (&json!("fs.ext4"), &json!("stdby up")));
        assert_eq!(resource.get("internal"), None);
    }

    #[test]
    fn an_object_without_an_instance_is_not_applicable() {
        let absent = AbsentInstance::new("web".parse().unwrap(), "it runs on n2".to_owned());
        let expected = json!({"path": "web", "avail": "n/a", "overall": "n/a", "provisioned": "n/a",
                              "notes": ["it runs on n2"], "resources": {}});
        assert_eq!(serde_json::to_value(absent).unwrap(), expected);
    }
}
