//! The parts of the engine's responses that are read. Every member may be missing or null.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Reads null as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A container that exists, as the engine describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerInfo {
    /// The id: 64 hexadecimal digits.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The id of its image.
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    /// The state of the container.
    #[serde(deserialize_with = "or_default")]
    pub state: ContainerState,
    #[serde(deserialize_with = "or_default")]
    pub(crate) config: ContainerConfig,
}

impl ContainerInfo {
    /// The first 12 digits of the id, as docker(1) shows it.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// The value of a label, if the container has it.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.get(name).map(String::as_str)
    }
}

/// The state of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Whether it has processes. They may be paused.
    #[serde(deserialize_with = "or_default")]
    pub running: bool,
    /// Whether its processes are paused.
    #[serde(deserialize_with = "or_default")]
    pub paused: bool,
    /// Whether the kernel killed it for its memory.
    #[serde(rename = "OOMKilled", deserialize_with = "or_default")]
    pub oom_killed: bool,
    /// The pid of its first process, or 0.
    #[serde(deserialize_with = "or_default")]
    pub pid: u32,
    /// The exit status of its first process.
    #[serde(deserialize_with = "or_default")]
    pub exit_code: i32,
    /// The reason why it could not be started.
    #[serde(deserialize_with = "or_default")]
    pub error: String,
}

impl ContainerState {
    /// A description of how its first process exited.
    pub fn exit_text(&self) -> String {
        // The engine's own error is usually clearer than the exit status alone.
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

/// The response to `images/NAME/json` and to the creation of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EngineObject {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) warnings: Vec<String>,
}

/// A progress message of a pull.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PullProgress {
    #[serde(deserialize_with = "or_default")]
    pub(crate) error: String,
}

/// The body of a response whose status is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EngineRefusal {
    #[serde(deserialize_with = "or_default")]
    pub(crate) message: String,
}

/// Extracts the text from the log of a container without a terminal: frames with a header of 8 bytes, of which the last 4 are
/// the length, followed by the text.
pub(crate) fn unframed(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(8) {
        let length = usize::try_from(u32::from_be_bytes([head[4], head[5], head[6], head[7]])).unwrap_or(usize::MAX);
        // The last frame may be cut off; its beginning is still worth showing.
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
        assert_eq!(found.state.exit_text(), "exited with 3");
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
