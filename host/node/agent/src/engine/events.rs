//! The stream of a container engine's events: what happens to the containers of objects, as it happens.

use std::path::Path;

use model::{NodeName, ObjectPath};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::AnswerError;

/// An event of an engine is not longer.
const LONGEST: u64 = 1 << 20;

/// What may change the status of a container. Engines also report each program that runs inside one, as the drivers' own checks do.
const TELLING: [&str; 11] =
    ["die", "died", "destroy", "remove", "oom", "pause", "unpause", "start", "rename", "health_status", "stop"];

/// The events of an engine.
#[derive(Debug)]
pub struct EngineEvents {
    stream: BufReader<UnixStream>,
    node: String,
}

/// Something that happened to a container of an object on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEvent {
    pub object: ObjectPath,
    /// `die`, `destroy`, `health_status: unhealthy`…
    pub action: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenEvent {
    #[serde(default)]
    action: String,
    #[serde(default)]
    actor: WrittenActor,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenActor {
    /// The labels of the container are among them.
    #[serde(default)]
    attributes: std::collections::BTreeMap<String, String>,
}

impl EngineEvents {
    /// Asks an engine for its events from now on.
    pub async fn open(socket: &Path, node: &NodeName) -> Result<EngineEvents, AnswerError> {
        let filters: String = r#"{"type":["container"]}"#.bytes().map(|byte| format!("%{byte:02X}")).collect();
        // HTTP/1.0: the answer comes without chunks, for as long as the connection stays.
        let target = super::versioned(socket, &format!("/events?filters={filters}")).await?;
        let mut stream = BufReader::new(UnixStream::connect(socket).await?);
        let request = format!("GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut events = EngineEvents { stream, node: node.to_string() };
        let status = events.line().await?;
        if status.split(' ').nth(1) != Some("200") {
            return Err(AnswerError::Refused(status.trim().to_owned()));
        }
        while !events.line().await?.trim().is_empty() {}
        Ok(events)
    }

    /// The next event. Waits until there is one; an error if the engine ends or hangs up.
    pub async fn next(&mut self) -> Result<EngineEvent, AnswerError> {
        loop {
            let line = self.line().await?;
            // An event of a form that this version does not know is about nothing that it could name.
            if let Some(event) = serde_json::from_str(&line).ok().and_then(|event| ours(event, &self.node)) {
                return Ok(event);
            }
        }
    }

    async fn line(&mut self) -> Result<String, AnswerError> {
        let mut line = Vec::new();
        // A longer line comes in pieces. None of them is a whole document, so that `next` passes over all of them.
        let read = (&mut self.stream).take(LONGEST).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

/// The event, if it is about a container that a driver made on this node.
fn ours(event: WrittenEvent, node: &str) -> Option<EngineEvent> {
    let WrittenEvent { action, actor: WrittenActor { attributes } } = event;
    // Docker writes the state of a health check behind a colon: `health_status: unhealthy`.
    let kind = action.split(':').next().unwrap_or_default();
    let is_here = attributes.get("hostler.node").is_some_and(|label| label == node);
    let object = attributes.get("hostler.object")?.parse().ok()?;
    (is_here && TELLING.contains(&kind)).then_some(EngineEvent { object, action })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_a_container_of_this_node_counts() {
        let check = |action: &str, node: &str, expected: bool| {
            let text = format!(
                r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"1","Attributes":
                {{"hostler.object":"ns1/svc/web","hostler.node":"{node}","image":"x"}}}},"scope":"local","time":1}}"#
            );
            let found = ours(serde_json::from_str(&text).unwrap(), "n1");
            let event = EngineEvent { object: "ns1/svc/web".parse().unwrap(), action: action.to_owned() };
            assert_eq!(found, expected.then_some(event), "{text}");
        };
        check("die", "n1", true);
        check("health_status: unhealthy", "n1", true);
        check("die", "n2", false);
        check("exec_create: sh -c true", "n1", false);
        check("exec_die", "n1", false);
        assert_eq!(ours(serde_json::from_str(r#"{"Action":"die"}"#).unwrap(), "n1"), None);
    }
}
