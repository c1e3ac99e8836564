//! `/containers/NAME/…`: requests about one container, which must be the resource's own.

use super::exec;
use crate::case::{ObjectContainer, RequestCase};
use crate::engine_facts::foreign_container;
use crate::refusal::GuardRefusal;
use crate::request::engine_request::RequestedBy;
use crate::request::strict_json;
use crate::verdict::{ForwardedRequest, NotForwarded, TerminalStream};

/// Verbs that only look, with the parameters that they take.
const LOOKS: [(&str, &[&str]); 2] = [
    ("logs", &["stdout", "stderr", "since", "until", "timestamps", "tail", "follow"]),
    ("stats", &["stream", "one-shot"]),
];

/// Verbs that change the container.
const CHANGES: [(&str, &[&str]); 9] = [
    ("start", &[]),
    ("stop", &["t", "signal"]),
    ("restart", &["t", "signal"]),
    ("kill", &["signal"]),
    ("pause", &[]),
    ("unpause", &[]),
    ("wait", &["condition"]),
    ("resize", &["h", "w"]),
    ("rename", &["name"]),
];

/// Judges `/containers/NAME` and `/containers/NAME/VERB`.
pub(crate) fn on_container(case: &RequestCase<'_>, name: &str, verb: &str) -> Result<ForwardedRequest, NotForwarded> {
    let find = |table: &[(&'static str, &'static [&'static str])]| {
        table.iter().find(|(known, _)| *known == verb).map(|(_, parameters)| *parameters)
    };
    match case.request.method {
        "GET" if verb == "logs" && case.request.asked == RequestedBy::Attachment => logs(case, name),
        "GET" if verb == "json" => inspect(case, name),
        "GET" => {
            let parameters = find(&LOOKS).ok_or_else(|| case.unknown())?;
            let container = case.container(name, &case.spec.visible())?;
            forward(case, &container, &format!("/{verb}"), &format!("{verb} of"), parameters)
        }
        "POST" if verb == "exec" => exec::create(case, name),
        "POST" if verb == "attach" => attach(case, name),
        "POST" => {
            let parameters = find(&CHANGES).ok_or_else(|| case.unknown())?;
            let container = case.own(name)?;
            // Another name could be that of another resource's container, which would then not start.
            may_be_named(case, verb)?;
            forward(case, &container, &format!("/{verb}"), verb, parameters)
        }
        "DELETE" if verb.is_empty() => forward(case, &case.own(name)?, "", "remove", &["force", "v"]),
        _ => Err(case.unknown().into()),
    }
}

fn forward(
    case: &RequestCase<'_>,
    container: &ObjectContainer,
    below: &str,
    what: &str,
    parameters: &[&str],
) -> Result<ForwardedRequest, NotForwarded> {
    let path = format!("/containers/{}{below}", container.id);
    case.at(&path, &format!("{what} its container {}", container.short_id()), parameters)
}

/// Inspects a container. Of one that belongs to another resource, the driver learns only that it exists and is not its own:
/// so that it can say why it cannot have the name.
fn inspect(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    match case.container(name, &case.spec.visible()) {
        Ok(container) => forward(case, &container, "/json", "look at", &["size"]),
        Err(NotForwarded::Deny(GuardRefusal::Stranger(name))) => {
            Err(NotForwarded::Answer(200, foreign_container(&name)))
        }
        Err(stop) => Err(stop),
    }
}

fn may_be_named(case: &RequestCase<'_>, verb: &str) -> Result<(), GuardRefusal> {
    let name = case.target.parameters.get("name").map(String::as_str).unwrap_or_default();
    match verb == "rename" && !case.spec.has_name(name) {
        true => Err(GuardRefusal::Keyword { member: "name".to_owned(), value: name.to_owned(), keyword: "name" }),
        false => Ok(()),
    }
}

/// Shows the container's output to the operator.
fn logs(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    let container = case.own(name)?;
    let forward = forward(case, &container, "/logs", "show the output of", LOOKS[0].1)?;
    let stream = TerminalStream { framed: !container.tty, input: false, exec: None };
    Ok(ForwardedRequest { stream: Some(stream), ..forward })
}

/// Connects the operator to the container's own terminal. A driver never gets it: the connection is no longer HTTP, so the
/// guard could not read on.
fn attach(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    if case.request.asked != RequestedBy::Attachment {
        return Err(GuardRefusal::Console("attach").into());
    }
    strict_json::object(case.request.body)?;
    let container = case.own(name)?;
    let parameters = ["stdin", "stdout", "stderr", "stream", "logs"];
    let forward = forward(case, &container, "/attach", "attach to", &parameters)?;
    let stream = TerminalStream { framed: !container.tty, input: true, exec: None };
    Ok(ForwardedRequest { stream: Some(stream), ..forward })
}
