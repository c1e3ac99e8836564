//! Messages of syslog, as RFC 5424 says.

use model::NodeName;

use super::{IDENTIFIER, SinkMessage, priority};

/// Messages of programs that run in the background.
const FACILITY: u8 = 3;
/// The number that stands for a company in examples (RFC 5612).
const ENTERPRISE: u32 = 32473;
/// What every receiver should take of a message in bytes is less, and what most take is more.
const LONGEST: usize = 8192;

/// A message for each line of the text, as receivers show one on one line.
pub(super) fn messages(node: &NodeName, message: &SinkMessage<'_>) -> Vec<String> {
    let priority = FACILITY * 8 + priority(message.level);
    // RFC 5424 knows no more than six digits of a second.
    let (at, process) = (message.at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"), std::process::id());
    let header = format!("<{priority}>1 {at} {node} {IDENTIFIER} {process} - {} ", data(message));
    let object = message.object.map(|object| format!("{object}: ")).unwrap_or_default();
    let rid = message.rid.map(|rid| format!("{rid}: ")).unwrap_or_default();
    // RFC 5424, 6.4: control characters should not stand in a message, and receivers may change them.
    let lines =
        message.text.trim_end().lines().map(|line| format!("{header}{object}{rid}{}", line.replace(is_control, " ")));
    lines.map(truncated).collect()
}

fn is_control(c: char) -> bool {
    c.is_control()
}

/// `[hostler@32473 object="web" rid="fs#1"]`, or `-` if there is neither.
fn data(message: &SinkMessage<'_>) -> String {
    let parameter = |name: &str, value: String| format!(" {name}=\"{}\"", escaped(&value));
    let object = message.object.map(|object| parameter("object", object.to_string()));
    let rid = message.rid.map(|rid| parameter("rid", rid.to_string()));
    match (object, rid) {
        (None, None) => "-".to_owned(),
        (object, rid) => {
            format!("[{IDENTIFIER}@{ENTERPRISE}{}{}]", object.unwrap_or_default(), rid.unwrap_or_default())
        }
    }
}

fn escaped(value: &str) -> String {
    // RFC 5424, 6.3.3, names these three. The backslash comes first, or the other two would be escaped twice.
    value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

fn truncated(mut message: String) -> String {
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
    }
    message
}
