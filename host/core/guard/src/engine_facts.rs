//! The facts that the guard must know about the engine. Its caller looks them up over the same socket.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::request::target::RequestTarget;
use crate::verdict::NotForwarded;

/// A question about the engine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineLookup {
    /// A container, by its id or name.
    Container(String),
    /// A further command in a container, by its id.
    Exec(String),
    /// The volumes of all containers that the engine has, running or not.
    Volumes,
    /// An image, by its name: for the audit, as a name may mean another image tomorrow.
    Image(String),
}

/// A path of the node that a container sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerVolume {
    /// The whole id of the container.
    pub container: String,
    pub source: PathBuf,
    pub writable: bool,
}

/// The answer to a question about the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupResult {
    /// There is nothing of this name.
    Nothing,
    /// A container.
    Container {
        /// The whole id.
        id: String,
        /// Its name, without the slash that engines put in front.
        name: String,
        labels: BTreeMap<String, String>,
        /// The whole ids of the containers whose namespaces it shares.
        joins: BTreeSet<String>,
        /// Whether it has a terminal: then its output is not framed.
        tty: bool,
        /// The digest of the image that it was made of.
        image: Option<String>,
    },
    /// The digest of an image.
    Image(String),
    /// Paths of the node that containers see.
    Volumes(Vec<ContainerVolume>),
    /// A command in a container.
    Exec {
        /// The whole id.
        id: String,
        /// The container that it runs in.
        container: String,
        /// Whether it has a terminal.
        tty: bool,
        /// Its exit status, once it has exited.
        exit_code: Option<i64>,
    },
}

/// The facts that were looked up so far, in one call of a driver.
pub type EngineFacts = BTreeMap<EngineLookup, LookupResult>;

/// The engine's answer to a look-up cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine's answer about {what} cannot be understood")]
pub struct UnreadableAnswer {
    what: String,
}

impl EngineLookup {
    /// The path to request, in the version of the API that the request `target` uses.
    pub fn path(&self, target: &str) -> String {
        // In the same version, so that the answer is about the same API.
        let version = RequestTarget::parse(target).map(|target| target.version).unwrap_or_default();
        match self {
            EngineLookup::Container(name) => format!("{version}/containers/{name}/json"),
            EngineLookup::Exec(id) => format!("{version}/exec/{id}/json"),
            EngineLookup::Volumes => format!("{version}/containers/json?all=true"),
            EngineLookup::Image(name) => format!("{version}/images/{name}/json"),
        }
    }

    /// Reads the answer.
    pub fn read(&self, status: u16, body: &[u8]) -> Result<LookupResult, UnreadableAnswer> {
        let unreadable = || UnreadableAnswer { what: self.name().to_owned() };
        match status {
            // Whatever the engine says: nothing is allowed by it.
            _ if matches!(self, EngineLookup::Image(_)) => {
                let document: Option<Value> = serde_json::from_slice(body).ok().filter(|_| status == 200);
                let found = document.as_ref().and_then(|document| digest(document.get("Id")?));
                Ok(found.map_or(LookupResult::Nothing, LookupResult::Image))
            }
            // Any other status could hide a container behind an error, so it is not read as absence.
            404 => Ok(LookupResult::Nothing),
            200 => {
                let document: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
                let found = match (self, &document) {
                    (EngineLookup::Volumes, Value::Array(listed)) => listed
                        .iter()
                        .map(volumes)
                        .collect::<Option<Vec<_>>>()
                        .map(|all| LookupResult::Volumes(all.concat())),
                    (_, Value::Object(members)) => self.found(members),
                    _ => None,
                };
                found.ok_or_else(unreadable)
            }
            _ => Err(unreadable()),
        }
    }

    fn name(&self) -> &str {
        match self {
            EngineLookup::Container(name) | EngineLookup::Exec(name) | EngineLookup::Image(name) => name,
            EngineLookup::Volumes => "all volumes",
        }
    }

    fn found(&self, members: &Map<String, Value>) -> Option<LookupResult> {
        match self {
            EngineLookup::Container(asked) => {
                // Without it the engine did not answer about a container, and nothing may be concluded.
                let config = members.get("Config")?;
                let labels = config.get("Labels").and_then(Value::as_object).into_iter().flatten();
                let (id, name) = (id(members, "Id")?, members.get("Name").and_then(Value::as_str).unwrap_or_default());
                let name = name.trim_start_matches('/').to_owned();
                // An answer about another container would send what is asked of this one to that one.
                if !id.starts_with(asked.as_str()) && name != *asked {
                    return None;
                }
                Some(LookupResult::Container {
                    id,
                    name,
                    joins: joins(members),
                    labels: labels
                        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                        .collect(),
                    tty: config.get("Tty").and_then(Value::as_bool).unwrap_or(false),
                    image: members.get("Image").and_then(digest),
                })
            }
            EngineLookup::Exec(_) => Some(LookupResult::Exec {
                id: id(members, "ID")?,
                container: id(members, "ContainerID")?,
                tty: members.get("ProcessConfig").and_then(|config| config.get("tty")?.as_bool()).unwrap_or(false),
                exit_code: members.get("ExitCode").and_then(Value::as_i64),
            }),
            EngineLookup::Volumes | EngineLookup::Image(_) => None,
        }
    }
}

/// The digest of an image: `sha256:` and 64 digits, which podman leaves the first part of.
fn digest(value: &Value) -> Option<String> {
    let id = value.as_str()?;
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    is_whole(id).then(|| format!("sha256:{id}"))
}

/// The paths of the node that a listed container sees. None if the engine does not say which: it may see any.
fn volumes(container: &Value) -> Option<Vec<ContainerVolume>> {
    let id = id(container.as_object()?, "Id")?;
    let mut found = Vec::new();
    for mount in container.get("Mounts")?.as_array()? {
        let text = |name: &str| mount.get(name).and_then(Value::as_str).unwrap_or_default();
        // What the engine itself keeps for a volume lies where nobody mounts.
        if text("Type") == "bind" {
            let writable = mount.get("RW").and_then(Value::as_bool).unwrap_or(true);
            found.push(ContainerVolume { container: id.clone(), source: text("Source").into(), writable });
        }
    }
    Some(found)
}

/// The containers whose namespaces a container shares.
fn joins(members: &Map<String, Value>) -> BTreeSet<String> {
    let modes = ["NetworkMode", "PidMode", "IpcMode"].iter();
    let modes = modes.filter_map(|mode| members.get("HostConfig")?.get(mode)?.as_str()?.strip_prefix("container:"));
    modes.filter(|id| is_whole(id)).map(str::to_owned).collect()
}

/// A whole id: 64 hexadecimal digits, so that a name cannot be mistaken for one.
fn id(members: &Map<String, Value>, name: &str) -> Option<String> {
    let id = members.get(name)?.as_str()?;
    is_whole(id).then(|| id.to_owned())
}

fn is_whole(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The whole id of a container, from the engine's answer to its making.
pub fn whole_id(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    id(document.as_object()?, "Id")
}

/// The number of the first process of a container, from the engine's description of it. None if it has none.
pub fn first_process(body: &[u8]) -> Option<u32> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let pid = document.get("State")?.get("Pid")?.as_u64()?;
    u32::try_from(pid).ok().filter(|pid| *pid > 0)
}

/// Whether a container counts its processes by itself, from the engine's description of it. False if it does not say so.
pub fn has_own_pids(body: &[u8]) -> bool {
    let document: Option<Value> = serde_json::from_slice(body).ok();
    let mode = document.as_ref().and_then(|document| document.get("HostConfig")?.get("PidMode")?.as_str());
    matches!(mode, Some("" | "private"))
}

/// All that a driver learns about a container of another resource.
pub(crate) fn foreign_container(name: &str) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("Id".to_owned(), name.into());
    members
        .insert("Config".to_owned(), Value::Object(Map::from_iter([("Labels".to_owned(), Value::Object(Map::new()))])));
    Value::Object(members).to_string().into_bytes()
}

/// The engine's own answer about a container or command that does not exist.
pub(crate) fn missing(what: &str, name: &str) -> NotForwarded {
    let mut message = Map::new();
    message.insert("message".to_owned(), format!("No such {what}: {name}").into());
    NotForwarded::Answer { status: 404, body: Value::Object(message).to_string().into_bytes(), stranger: None }
}
