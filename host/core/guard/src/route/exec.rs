//! `/containers/NAME/exec` and `/exec/ID/…`: further commands in a container, only for an operator's console.

use serde_json::{Map, Value, json};

use crate::case::RequestCase;
use crate::engine_facts::{EngineLookup, LookupResult, missing};
use crate::refusal::GuardRefusal;
use crate::request::engine_request::RequestedBy;
use crate::request::members::{MemberReader, MemberShape};
use crate::request::strict_json;
use crate::verdict::{ForwardedRequest, NotForwarded, TerminalStream};

/// A command of the engine's, in a container of the resource.
struct ContainerCommand {
    id: String,
    /// Whether it has a terminal.
    tty: bool,
}

/// Members that matter inside the container alone.
const HARMLESS: [(&str, MemberShape); 7] = [
    ("AttachStdin", MemberShape::Flag),
    ("AttachStdout", MemberShape::Flag),
    ("AttachStderr", MemberShape::Flag),
    ("Tty", MemberShape::Flag),
    ("Env", MemberShape::Texts),
    ("WorkingDir", MemberShape::Text),
    ("DetachKeys", MemberShape::Text),
];

/// Judges `POST /containers/NAME/exec`: it prepares a command, and runs nothing yet.
pub(crate) fn create(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    let RequestedBy::Console(argv) = case.request.asked else { return Err(GuardRefusal::Console("exec").into()) };
    let container = case.own(name)?;
    case.target.knows(&[])?;
    let mut fields = MemberReader::new("", strict_json::object(case.request.body)?);
    let mut out = Map::new();
    fields.keep(&mut out, &HARMLESS)?;
    let command = fields.texts("Cmd")?;
    // `None`: a shell, which the driver may choose.
    if argv.is_some_and(|argv| argv != command) {
        return Err(GuardRefusal::Member("a command that the operator did not ask for".to_owned()).into());
    }
    out.insert("Cmd".to_owned(), json!(command));
    let user = fields.text("User")?;
    case.spec.may_be_user(user.as_deref())?;
    user.map(|user| out.insert("User".to_owned(), user.into()));
    if fields.flag("Privileged")? {
        case.spec.may_be_privileged("Privileged")?;
        out.insert("Privileged".to_owned(), true.into());
    }
    size(&mut fields, &mut out)?;
    fields.finish()?;
    Ok(ForwardedRequest {
        target: case.target.write(&format!("/containers/{}/exec", container.id)),
        headers: case.headers_of_json()?,
        body: Value::Object(out).to_string().into_bytes(),
        paths: Vec::new(),
        beside: Vec::new(),
        sources: Vec::new(),
        describes: None,
        effect: None,
        image: None,
        what: format!("prepare a command in its container {}", container.short_id()),
        stream: None,
    })
}

/// Judges `/exec/ID/VERB`.
pub(crate) fn on_exec(case: &RequestCase<'_>, id: &str, verb: &str) -> Result<ForwardedRequest, NotForwarded> {
    let command = own(case, id)?;
    let id = &command.id;
    match (case.request.method, verb) {
        ("GET", "json") => case.at(&format!("/exec/{id}/json"), "look at a command in its container", &[]),
        ("POST", "resize") if case.request.asked == RequestedBy::Attachment => {
            case.at(&format!("/exec/{id}/resize"), "size the terminal of a command in its container", &["h", "w"])
        }
        ("POST", "start") if case.request.asked == RequestedBy::Attachment => start(case, command),
        ("POST", "start" | "resize") => Err(GuardRefusal::Console("exec").into()),
        _ => Err(case.unknown().into()),
    }
}

/// Runs a prepared command. A driver never does: the connection is no longer HTTP, so the guard could not read on.
fn start(case: &RequestCase<'_>, command: ContainerCommand) -> Result<ForwardedRequest, NotForwarded> {
    case.target.knows(&[])?;
    let mut fields = MemberReader::new("", strict_json::object(case.request.body)?);
    let mut out = Map::new();
    fields.flag("Tty")?;
    size(&mut fields, &mut out)?;
    fields.finish()?;
    // Whether there is a terminal was settled when the command was prepared; a different answer here would garble the output.
    out.insert("Tty".to_owned(), command.tty.into());
    Ok(ForwardedRequest {
        target: case.target.write(&format!("/exec/{}/start", command.id)),
        headers: case.headers_of_json()?,
        body: Value::Object(out).to_string().into_bytes(),
        paths: Vec::new(),
        beside: Vec::new(),
        sources: Vec::new(),
        describes: None,
        effect: None,
        image: None,
        what: "run a command in its container".to_owned(),
        stream: Some(TerminalStream { framed: !command.tty, input: true, exec: Some(command.id) }),
    })
}

/// Finds the command of this id, if it runs in a container of this resource.
fn own(case: &RequestCase<'_>, id: &str) -> Result<ContainerCommand, NotForwarded> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(GuardRefusal::Unclear(format!("{id:?} is not the id of a command")).into());
    }
    let lookup = EngineLookup::Exec(id.to_owned());
    match case.facts.get(&lookup) {
        None => Err(NotForwarded::LookUp(lookup)),
        Some(LookupResult::Exec { id, container, tty, .. }) => {
            case.own(container).map(|_| ContainerCommand { id: id.clone(), tty: *tty })
        }
        Some(_) => Err(missing("exec instance", id)),
    }
}

/// Copies the size of the terminal, in rows and columns.
fn size(fields: &mut MemberReader, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let Some(size) = fields.take("ConsoleSize") else { return Ok(()) };
    let legal = size.as_array().is_some_and(|size| size.len() == 2 && size.iter().all(Value::is_u64));
    if !legal {
        return Err(GuardRefusal::Shape { member: "ConsoleSize".to_owned(), expected: "two numbers" });
    }
    out.insert("ConsoleSize".to_owned(), size);
    Ok(())
}
