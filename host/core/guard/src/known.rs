//! What the guard must know of the engine, which its caller looks up over the same socket.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::target::Target;

/// What is to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineLookup {
    /// A container, by its id or name.
    Container(String),
    /// What runs in a container beside its own command, by its id.
    Exec(String),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupResult {
    /// Nothing of that name.
    Nothing,
    /// A container.
    Container {
        /// The whole of it.
        id: String,
        /// All of them.
        labels: BTreeMap<String, String>,
        /// Whether it has a terminal: then its output is not framed.
        tty: bool,
    },
    /// A command in a container.
    Exec {
        /// The whole of it.
        id: String,
        /// Where it runs.
        container: String,
        /// Whether it has a terminal.
        tty: bool,
        /// Its exit status, once it has ended.
        exit_code: Option<i64>,
    },
}

/// What was looked up so far, in one call of a driver.
pub type EngineFacts = BTreeMap<EngineLookup, LookupResult>;

/// The engine's answer to a look-up makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine's answer about {what} cannot be understood")]
pub struct UnreadableAnswer {
    what: String,
}

impl EngineLookup {
    /// The path to ask for, below the version of the API that the request `target` speaks.
    pub fn path(&self, target: &str) -> String {
        let version = Target::parse(target).map(|target| target.version).unwrap_or_default();
        match self {
            EngineLookup::Container(name) => format!("{version}/containers/{name}/json"),
            EngineLookup::Exec(id) => format!("{version}/exec/{id}/json"),
        }
    }

    /// Reads the answer.
    pub fn read(&self, status: u16, body: &[u8]) -> Result<LookupResult, UnreadableAnswer> {
        let unreadable = || UnreadableAnswer { what: self.name().to_owned() };
        match status {
            404 => Ok(LookupResult::Nothing),
            200 => {
                let document: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
                let members = document.as_object().ok_or_else(unreadable)?;
                self.found(members).ok_or_else(unreadable)
            }
            _ => Err(unreadable()),
        }
    }

    fn name(&self) -> &str {
        match self {
            EngineLookup::Container(name) | EngineLookup::Exec(name) => name,
        }
    }

    fn found(&self, members: &Map<String, Value>) -> Option<LookupResult> {
        match self {
            EngineLookup::Container(_) => {
                let config = members.get("Config")?;
                let labels = config.get("Labels").and_then(Value::as_object).into_iter().flatten();
                Some(LookupResult::Container {
                    id: id(members, "Id")?,
                    labels: labels
                        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                        .collect(),
                    tty: config.get("Tty").and_then(Value::as_bool).unwrap_or(false),
                })
            }
            EngineLookup::Exec(_) => Some(LookupResult::Exec {
                id: id(members, "ID")?,
                container: id(members, "ContainerID")?,
                tty: members.get("ProcessConfig").and_then(|config| config.get("tty")?.as_bool()).unwrap_or(false),
                exit_code: members.get("ExitCode").and_then(Value::as_i64),
            }),
        }
    }
}

/// An id in full: 64 hexadecimal digits, so that no name can be taken for one.
fn id(members: &Map<String, Value>, name: &str) -> Option<String> {
    let id = members.get(name)?.as_str()?;
    (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// All that is told of another's container.
pub(crate) fn stranger(name: &str) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("Id".to_owned(), name.into());
    members
        .insert("Config".to_owned(), Value::Object(Map::from_iter([("Labels".to_owned(), Value::Object(Map::new()))])));
    Value::Object(members).to_string().into_bytes()
}

/// The engine's own words for what is not there.
pub(crate) fn missing(what: &str, name: &str) -> Vec<u8> {
    let mut message = Map::new();
    message.insert("message".to_owned(), format!("No such {what}: {name}").into());
    Value::Object(message).to_string().into_bytes()
}
