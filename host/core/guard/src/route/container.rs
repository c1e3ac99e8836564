//! `/containers/NAME/…`: requests about one container, which must be the resource's own. One that lives in its namespaces may be put
//! out of the way.

use super::{exec, policy};
use crate::case::{ObjectContainer, RequestCase};
use crate::engine_facts::{foreign_container, missing};
use crate::refusal::GuardRefusal;
use crate::request::engine_request::RequestedBy;
use crate::request::strict_json;
use crate::verdict::{ContainerEffect, ForwardedRequest, NotForwarded, TerminalStream};

/// Verbs that only look, with the parameters that they take.
const LOOKS: [(&str, &[&str]); 2] = [
    ("logs", &["stdout", "stderr", "since", "until", "timestamps", "tail", "follow"]),
    ("stats", &["stream", "one-shot"]),
];

/// Verbs that change the container.
const CHANGES: [(&str, &[&str]); 8] = [
    ("start", &[]),
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
        "POST" if verb == "update" => policy::reset(case, name),
        "POST" if verb == "stop" => {
            let container = own_or_dependent(case, name)?;
            let forward = forward(case, &container, "/stop", "stop", &["t", "signal"])?;
            Ok(ForwardedRequest { effect: effect(verb, container), ..forward })
        }
        "POST" => {
            let parameters = find(&CHANGES).ok_or_else(|| case.unknown())?;
            let container = case.own(name)?;
            // Another name could be that of another resource's container, which would then not start.
            if verb == "rename" {
                case.spec.may_be_named(case.target.parameters.get("name").map(String::as_str).unwrap_or_default())?;
            }
            let forward = forward(case, &container, &format!("/{verb}"), verb, parameters)?;
            if !matches!(verb, "start" | "restart") {
                return Ok(ForwardedRequest { effect: effect(verb, container), ..forward });
            }
            // The engine opens the paths at each start, and not when it creates the container. Docker makes those that are missing.
            let paths = case.volumes_of(&container.id)?;
            let beside = case.volumes_beside(&paths, Some(&container.id))?;
            let sources = case.spec.sources();
            let image = container.image.clone();
            Ok(ForwardedRequest { paths, beside, sources, image, effect: effect(verb, container), ..forward })
        }
        "DELETE" if verb.is_empty() => remove(case, name),
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

fn effect(verb: &str, of: ObjectContainer) -> Option<ContainerEffect> {
    match verb {
        "start" | "restart" | "unpause" => Some(ContainerEffect::Started(of.name, of.id)),
        "stop" | "kill" => Some(ContainerEffect::Stopped(of.name, of.id)),
        _ => None,
    }
}

fn own_or_dependent(case: &RequestCase<'_>, name: &str) -> Result<ObjectContainer, NotForwarded> {
    match case.own(name) {
        Err(NotForwarded::Deny(GuardRefusal::Stranger(_))) => case.dependent(name),
        found => found,
    }
}

/// Removes a container: the resource's own in any state, and a dependent one only if it does not run, which the engine checks.
fn remove(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    let (container, forward) = match case.own(name) {
        Err(NotForwarded::Deny(GuardRefusal::Stranger(_))) => {
            let container = case.dependent(name)?;
            let what = format!("remove the container {}, which shares a namespace of its own", container.short_id());
            let forward = case.at(&format!("/containers/{}", container.id), &what, &["v"])?;
            (container, forward)
        }
        found => {
            let container = found?;
            let forward = forward(case, &container, "", "remove", &["force", "v"])?;
            (container, forward)
        }
    };
    Ok(ForwardedRequest { effect: Some(ContainerEffect::Removed(container.id)), ..forward })
}

/// Inspects a container. Of one that belongs to another resource, the driver learns only its id and that it is not its own:
/// so that it can say why it cannot have the name.
fn inspect(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    let found = match case.container(name, &case.spec.visible()) {
        Err(NotForwarded::Deny(GuardRefusal::Stranger(_))) => case.dependent(name),
        found => found,
    };
    match found {
        Ok(container) => {
            let forward = forward(case, &container, "/json", "look at", &["size"])?;
            Ok(ForwardedRequest { describes: Some(container.id), ..forward })
        }
        Err(NotForwarded::Deny(GuardRefusal::Stranger(name))) => Err(match case.stranger(&name) {
            stranger @ Some(_) => NotForwarded::Answer { status: 200, body: foreign_container(&name), stranger },
            None => missing("container", &name),
        }),
        Err(stop) => Err(stop),
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
