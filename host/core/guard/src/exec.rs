//! Commands in a container, beside its own: only for an operator's console.

use serde_json::{Map, Value, json};

use crate::body::{Fields, Kind};
use crate::container::short;
use crate::create::{may_be_privileged, may_be_user};
use crate::judge::{Case, ForwardedRequest, RequestedBy, Stop, TerminalStream};
use crate::known::missing;
use crate::{EngineLookup, GuardRefusal, LookupResult, json as strict};

const HARMLESS: [(&str, Kind); 7] = [
    ("AttachStdin", Kind::Flag),
    ("AttachStdout", Kind::Flag),
    ("AttachStderr", Kind::Flag),
    ("Tty", Kind::Flag),
    ("Env", Kind::Texts),
    ("WorkingDir", Kind::Text),
    ("DetachKeys", Kind::Text),
];

/// `POST /containers/NAME/exec`: prepares a command, and runs nothing yet.
pub(crate) fn create(case: &Case<'_>, name: &str) -> Result<ForwardedRequest, Stop> {
    let RequestedBy::Console(argv) = case.request.asked else { return Err(GuardRefusal::Console("exec").into()) };
    let (id, _) = case.own(name)?;
    case.target.knows(&[])?;
    let mut fields = Fields::new("", strict::object(case.request.body)?);
    let mut out = Map::new();
    fields.keep(&mut out, &HARMLESS)?;
    let command = fields.texts("Cmd")?;
    if argv.is_some_and(|argv| argv != command) {
        return Err(GuardRefusal::Member("a command that the operator did not ask for".to_owned()).into());
    }
    out.insert("Cmd".to_owned(), json!(command));
    let user = fields.text("User")?;
    may_be_user(case.allowance, &user)?;
    user.map(|user| out.insert("User".to_owned(), user.into()));
    if fields.flag("Privileged")? {
        may_be_privileged(case.allowance, "Privileged")?;
        out.insert("Privileged".to_owned(), true.into());
    }
    size(&mut fields, &mut out)?;
    fields.finish()?;
    Ok(ForwardedRequest {
        target: case.target.write(&format!("/containers/{id}/exec")),
        headers: case.headers_of_json()?,
        body: Value::Object(out).to_string().into_bytes(),
        paths: Vec::new(),
        what: format!("prepare a command in its container {}", short(&id)),
        stream: None,
    })
}

/// `/exec/ID/VERB`.
pub(crate) fn on_exec(case: &Case<'_>, id: &str, verb: &str) -> Result<ForwardedRequest, Stop> {
    let (id, tty) = own(case, id)?;
    match (case.request.method, verb) {
        ("GET", "json") => case.at(&format!("/exec/{id}/json"), "look at a command in its container", &[]),
        ("POST", "resize") if case.request.asked == RequestedBy::Attachment => {
            case.at(&format!("/exec/{id}/resize"), "size the terminal of a command in its container", &["h", "w"])
        }
        ("POST", "start") if case.request.asked == RequestedBy::Attachment => start(case, id, tty),
        ("POST", "start" | "resize") => Err(GuardRefusal::Console("exec").into()),
        _ => Err(case.unknown().into()),
    }
}

/// Runs what was prepared. Never in a driver's hands: the connection is no HTTP any more.
fn start(case: &Case<'_>, id: String, tty: bool) -> Result<ForwardedRequest, Stop> {
    case.target.knows(&[])?;
    let mut fields = Fields::new("", strict::object(case.request.body)?);
    let mut out = Map::new();
    fields.flag("Tty")?;
    size(&mut fields, &mut out)?;
    fields.finish()?;
    out.insert("Tty".to_owned(), tty.into());
    Ok(ForwardedRequest {
        target: case.target.write(&format!("/exec/{id}/start")),
        headers: case.headers_of_json()?,
        body: Value::Object(out).to_string().into_bytes(),
        paths: Vec::new(),
        what: "run a command in its container".to_owned(),
        stream: Some(TerminalStream { framed: !tty, input: true, exec: Some(id) }),
    })
}

/// The command of that id, if it runs in a container of this resource's.
fn own(case: &Case<'_>, id: &str) -> Result<(String, bool), Stop> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(GuardRefusal::Unclear(format!("{id:?} is no id of a command")).into());
    }
    let lookup = EngineLookup::Exec(id.to_owned());
    match case.known.get(&lookup) {
        None => Err(Stop::LookUp(lookup)),
        Some(LookupResult::Exec { id, container, tty, .. }) => case.own(container).map(|_| (id.clone(), *tty)),
        Some(_) => Err(Stop::Answer(404, missing("exec instance", id))),
    }
}

/// Rows and columns.
fn size(fields: &mut Fields, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let Some(size) = fields.take("ConsoleSize") else { return Ok(()) };
    let legal = size.as_array().is_some_and(|size| size.len() == 2 && size.iter().all(Value::is_u64));
    if !legal {
        return Err(GuardRefusal::Shape { member: "ConsoleSize".to_owned(), expected: "two numbers" });
    }
    out.insert("ConsoleSize".to_owned(), size);
    Ok(())
}
