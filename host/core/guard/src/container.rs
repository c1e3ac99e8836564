//! What is asked of one container, which must be the resource's own. Its whole id stands in what is let through, so that
//! nobody can put another one under its name meanwhile.

use crate::exec;
use crate::judge::{Case, ForwardedRequest, RequestedBy, Stop, TerminalStream};
use crate::known::stranger;
use crate::{GuardRefusal, json};

/// Verbs that only look, with the parameters they take.
const LOOKS: [(&str, &[&str]); 2] = [
    ("logs", &["stdout", "stderr", "since", "until", "timestamps", "tail", "follow"]),
    ("stats", &["stream", "one-shot"]),
];

/// Verbs that change it.
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

/// `/containers/NAME`, `/containers/NAME/VERB`.
pub(crate) fn on_container(case: &Case<'_>, name: &str, verb: &str) -> Result<ForwardedRequest, Stop> {
    let find = |table: &[(&'static str, &'static [&'static str])]| {
        table.iter().find(|(known, _)| *known == verb).map(|(_, parameters)| *parameters)
    };
    match case.request.method {
        "GET" if verb == "logs" && case.request.asked == RequestedBy::Attachment => logs(case, name),
        "GET" if verb == "json" => look(case, name),
        "GET" => {
            let parameters = find(&LOOKS).ok_or_else(|| case.unknown())?;
            let (id, _) = case.container(name, &case.allowance.visible())?;
            case.at(&format!("/containers/{id}/{verb}"), &format!("{verb} of its container {}", short(&id)), parameters)
        }
        "POST" if verb == "exec" => exec::create(case, name),
        "POST" if verb == "attach" => attach(case, name),
        "POST" => {
            let parameters = find(&CHANGES).ok_or_else(|| case.unknown())?;
            let (id, _) = case.own(name)?;
            may_be_named(case, verb)?;
            case.at(&format!("/containers/{id}/{verb}"), &format!("{verb} its container {}", short(&id)), parameters)
        }
        "DELETE" if verb.is_empty() => {
            let (id, _) = case.own(name)?;
            case.at(&format!("/containers/{id}"), &format!("remove its container {}", short(&id)), &["force", "v"])
        }
        _ => Err(case.unknown().into()),
    }
}

/// Of another's container it learns that it is there, and not its own: that is why it cannot have its name.
fn look(case: &Case<'_>, name: &str) -> Result<ForwardedRequest, Stop> {
    match case.container(name, &case.allowance.visible()) {
        Ok((id, _)) => {
            case.at(&format!("/containers/{id}/json"), &format!("look at its container {}", short(&id)), &["size"])
        }
        Err(Stop::Deny(GuardRefusal::Stranger(name))) => Err(Stop::Answer(200, stranger(&name))),
        Err(stop) => Err(stop),
    }
}

fn may_be_named(case: &Case<'_>, verb: &str) -> Result<(), GuardRefusal> {
    let name = case.target.parameters.get("name").map(String::as_str).unwrap_or_default();
    match verb == "rename" && !case.allowance.has_name(name) {
        true => Err(GuardRefusal::Keyword { member: "name".to_owned(), value: name.to_owned(), keyword: "name" }),
        false => Ok(()),
    }
}

/// Its output, for the operator.
fn logs(case: &Case<'_>, name: &str) -> Result<ForwardedRequest, Stop> {
    let (id, tty) = case.own(name)?;
    let path = format!("/containers/{id}/logs");
    let mut forward = case.at(&path, &format!("show the output of its container {}", short(&id)), LOOKS[0].1)?;
    forward.stream = Some(TerminalStream { framed: !tty, input: false, exec: None });
    Ok(forward)
}

/// Its own terminal. Never in a driver's hands: the connection is no HTTP any more.
fn attach(case: &Case<'_>, name: &str) -> Result<ForwardedRequest, Stop> {
    if case.request.asked != RequestedBy::Attachment {
        return Err(GuardRefusal::Console("attach").into());
    }
    json::object(case.request.body)?;
    let (id, tty) = case.own(name)?;
    let path = format!("/containers/{id}/attach");
    let parameters = ["stdin", "stdout", "stderr", "stream", "logs"];
    let mut forward = case.at(&path, &format!("attach to its container {}", short(&id)), &parameters)?;
    forward.stream = Some(TerminalStream { framed: !tty, input: true, exec: None });
    Ok(forward)
}

/// As the engines show ids.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
