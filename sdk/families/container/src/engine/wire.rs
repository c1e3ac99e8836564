//! The parts of the engine's responses that are read, but for containers. Every member may be missing or null.

use serde::{Deserialize, Deserializer};

/// Reads null as absent.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The engine's own settings.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EngineSettings {
    /// `cgroupfs`, `systemd` or `none`.
    #[serde(deserialize_with = "or_default")]
    pub(crate) cgroup_driver: String,
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
