//! What is read of the engine's answers. Every member may be missing or null.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Null is what is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A container, as the engine describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerInfo {
    /// 64 hexadecimal digits.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The id of its image.
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    /// How it is.
    #[serde(deserialize_with = "or_default")]
    pub state: ContainerState,
    #[serde(deserialize_with = "or_default")]
    pub(crate) config: ContainerConfig,
}

impl ContainerInfo {
    /// As people see it.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// A label, if it has it.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.get(name).map(String::as_str)
    }
}

/// How a container is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Whether it has processes, be they paused.
    #[serde(deserialize_with = "or_default")]
    pub running: bool,
    /// Whether its processes are stopped.
    #[serde(deserialize_with = "or_default")]
    pub paused: bool,
    /// Whether the kernel killed it for its memory.
    #[serde(rename = "OOMKilled", deserialize_with = "or_default")]
    pub oom_killed: bool,
    /// Its first process; 0: none.
    #[serde(deserialize_with = "or_default")]
    pub pid: u32,
    /// How it ended.
    #[serde(deserialize_with = "or_default")]
    pub exit_code: i32,
    /// Why it could not be started.
    #[serde(deserialize_with = "or_default")]
    pub error: String,
}

impl ContainerState {
    /// How it ended, in words.
    pub fn end(&self) -> String {
        let why = match (self.oom_killed, self.error.as_str()) {
            (true, _) => ", killed for its memory".to_owned(),
            (false, "") => String::new(),
            (false, error) => format!(": {error}"),
        };
        format!("exited with {}{why}", self.exit_code)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ContainerConfig {
    #[serde(deserialize_with = "or_default")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tty: bool,
}

/// A container in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ContainerEntry {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
}

/// What `images/NAME/json` and the creation of a container answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EngineObject {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) warnings: Vec<String>,
}

/// A line of the progress of a pull.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PullProgress {
    #[serde(deserialize_with = "or_default")]
    pub(crate) error: String,
}

/// What goes with a status that is no success.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EngineRefusal {
    #[serde(deserialize_with = "or_default")]
    pub(crate) message: String,
}

/// The lines of a log, of a container without a terminal: frames of 8 bytes, the last 4 the length, and the text.
pub(crate) fn unframed(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(8) {
        let length = usize::try_from(u32::from_be_bytes([head[4], head[5], head[6], head[7]])).unwrap_or(usize::MAX);
        let (frame, after) = rest.split_at(length.min(rest.len()));
        text.extend_from_slice(frame);
        bytes = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_nothing_are_read_alike() {
        let nulls =
            r#"{"Id":null,"Image":null,"State":{"Status":"exited","ExitCode":3,"Pid":null},"Config":{"Labels":null}}"#;
        let found: ContainerInfo = serde_json::from_str(nulls).unwrap();
        let less: ContainerInfo = serde_json::from_str(r#"{"State":{"Status":"exited","ExitCode":3}}"#).unwrap();
        assert_eq!(found, less);
        assert_eq!(found.state.end(), "exited with 3");
        assert_eq!(
            serde_json::from_str::<ContainerInfo>(r#"{"Config":null,"State":null}"#).unwrap(),
            ContainerInfo::default()
        );
    }

    #[test]
    fn a_log_without_a_terminal_is_framed() {
        let mut bytes = Vec::new();
        for (stream, text) in [(1, "one\n"), (2, "two\n")] {
            bytes.extend([stream, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()]);
            bytes.extend(text.bytes());
        }
        assert_eq!(unframed(&bytes), b"one\ntwo\n");
        assert_eq!(unframed(&bytes[..14]), b"one\n");
        assert_eq!(unframed(&bytes[..10]), b"on");
        assert_eq!(unframed(&[1, 0, 0, 0, 255, 255, 255, 255, b'x']), b"x");
    }
}
