//! The container engine of an object, and the object's containers there: what `om … docker` needs to become the engine's
//! client.

mod events;

pub use events::{EngineEvent, EngineEvents};

use std::path::{Path, PathBuf};
use std::time::Duration;

use capability::CapabilityError;
use model::ObjectPath;
use protocol::{EngineAccess, EngineContainer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::Agent;
use crate::console::ConsoleError;

/// Why there is no engine to speak with.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The object's engines cannot be found.
    #[error(transparent)]
    Object(#[from] ConsoleError),
    /// No resource of the object is on a container engine.
    #[error("{0} has no resource on a container engine")]
    None(ObjectPath),
    /// None of the object's engines runs.
    #[error("no container engine of {0} is here: there is no {1}")]
    NotRunning(ObjectPath, String),
    /// The engine does not answer as it should.
    #[error("cannot ask {}", .0.display())]
    Answer(PathBuf, #[source] AnswerError),
}

/// Why an engine's answer is of no use.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It does not say which version it has.
    #[error(transparent)]
    Version(#[from] CapabilityError),
    /// It is not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
    /// The engine refused.
    #[error("{0}")]
    Refused(String),
    /// It is not a list of containers.
    #[error("the answer is not a list")]
    NotList(#[source] serde_json::Error),
}

impl Agent {
    /// The first of the object's engines that runs, and the object's containers there.
    pub async fn engine(&self, path: &ObjectPath) -> Result<EngineAccess, EngineError> {
        let sockets = self.engines(path).await?;
        // An engine of the object's own (`container_data_dir`) has no socket before its first start.
        let Some(socket) = sockets.iter().find(|socket| socket.exists()) else {
            let listed: Vec<String> = sockets.iter().map(|socket| socket.display().to_string()).collect();
            return Err(match listed.is_empty() {
                true => EngineError::None(path.clone()),
                false => EngineError::NotRunning(path.clone(), listed.join(" and no ")),
            });
        };
        let node = self.node().name.to_string();
        let containers = containers(socket, path, &node).await;
        let containers = containers.map_err(|source| EngineError::Answer(socket.clone(), source))?;
        Ok(EngineAccess { socket: socket.clone(), containers })
    }
}

/// How long an engine may take to say which version it has.
const QUESTION: Duration = Duration::from_secs(10);

/// The path of a request, in a version of the API that the engine has.
async fn versioned(socket: &Path, path: &str) -> Result<String, AnswerError> {
    Ok(capability::http::engine_path(socket, path, tokio::time::Instant::now() + QUESTION).await?)
}

/// The object's containers on this node, by the labels that the drivers gave them.
async fn containers(socket: &Path, path: &ObjectPath, node: &str) -> Result<Vec<EngineContainer>, AnswerError> {
    let labels = [format!("hostler.object={path}"), format!("hostler.node={node}")];
    let filters: String = json!({ "label": labels }).to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let target = versioned(socket, &format!("/containers/json?all=1&filters={filters}")).await?;
    let mut stream = UnixStream::connect(socket).await?;
    // HTTP/1.0: the answer is complete when the engine closes the connection.
    let request = format!("GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(AnswerError::NotHttp)?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(AnswerError::Refused(body.trim().to_owned()));
    }
    let list: Vec<Value> = serde_json::from_str(body).map_err(AnswerError::NotList)?;
    Ok(list.iter().filter_map(container).collect())
}

fn container(value: &Value) -> Option<EngineContainer> {
    let name = value.get("Names")?.get(0)?.as_str()?.trim_start_matches('/').to_owned();
    Some(EngineContainer { name, image: value.get("Image")?.as_str()?.to_owned() })
}
