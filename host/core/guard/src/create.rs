//! Making a container: its body is taken apart, each member is held against the keywords, and it is put together anew.

use serde_json::{Map, Value, json};

use crate::allowance::Allowance;
use crate::body::{Fields, Kind};
use crate::host_config::{Host, host_config};
use crate::image::Image;
use crate::judge::{Case, ForwardedRequest, Stop};
use crate::mode::Mode;
use crate::{GuardRefusal, json as strict};

/// They matter inside the container alone.
const HARMLESS: [(&str, Kind); 13] = [
    ("Hostname", Kind::Text),
    ("Domainname", Kind::Text),
    ("AttachStdin", Kind::Flag),
    ("AttachStdout", Kind::Flag),
    ("AttachStderr", Kind::Flag),
    ("Tty", Kind::Flag),
    ("OpenStdin", Kind::Flag),
    ("StdinOnce", Kind::Flag),
    ("Env", Kind::Texts),
    ("WorkingDir", Kind::Text),
    ("StopSignal", Kind::Text),
    ("StopTimeout", Kind::Number),
    ("NetworkDisabled", Kind::Flag),
];

/// `POST /containers/create`.
pub(crate) fn create(case: &Case<'_>) -> Result<ForwardedRequest, Stop> {
    let allowance = case.allowance;
    case.target.knows(&["name"])?;
    let name = case.target.parameters.get("name").cloned().unwrap_or_default();
    if !allowance.has_name(&name) {
        return Err(GuardRefusal::Keyword { member: "name".to_owned(), value: name, keyword: "name" }.into());
    }
    let mut fields = Fields::new("", strict::object(case.request.body)?);
    let mut out = Map::new();
    fields.keep(&mut out, &HARMLESS)?;
    let image = image(allowance, &mut fields)?;
    out.insert("Image".to_owned(), image.clone().into());
    out.insert("Labels".to_owned(), labels(allowance, &mut fields)?);
    command(allowance, &mut fields, &mut out)?;
    let user = fields.text("User")?;
    may_be_user(allowance, &user)?;
    user.map(|user| out.insert("User".to_owned(), user.into()));
    mac_address(allowance, &mut fields, &mut out)?;
    exposed(&mut fields, &mut out)?;
    volumes(allowance, &mut fields, &mut out)?;
    let host = host_config(case, Fields::new("HostConfig", fields.object("HostConfig")?))?;
    networking(allowance, &host, &mut fields, &mut out)?;
    fields.finish()?;
    out.insert("HostConfig".to_owned(), Value::Object(host.members));
    Ok(ForwardedRequest {
        target: case.target.write("/containers/create"),
        headers: case.headers_of_json()?,
        body: Value::Object(out).to_string().into_bytes(),
        paths: host.paths,
        what: format!("create a container of {image}, made of the resource's keywords"),
        stream: None,
    })
}

fn keyword(member: &str, value: impl Into<String>, keyword: &'static str) -> GuardRefusal {
    GuardRefusal::Keyword { member: member.to_owned(), value: value.into(), keyword }
}

fn image(allowance: &Allowance<'_>, fields: &mut Fields) -> Result<String, GuardRefusal> {
    let asked = fields.text("Image")?.unwrap_or_default();
    match Image::parse(&asked) {
        Some(image) if Some(&image) == allowance.image.as_ref() => Ok(asked),
        _ => Err(keyword("Image", asked, "image")),
    }
}

/// The labels of the resource must be there as they are. Others of the host's cannot be taken for them.
fn labels(allowance: &Allowance<'_>, fields: &mut Fields) -> Result<Value, GuardRefusal> {
    let labels = fields.pairs("Labels")?;
    for (name, value) in allowance.resource.labels_of(allowance.resource.rid) {
        if !labels.iter().any(|(known, said)| known == name && *said == value) {
            return Err(GuardRefusal::Shape { member: format!("Labels.{name}"), expected: "the resource's own" });
        }
    }
    for (name, value) in &labels {
        let said = allowance.args.labels.iter().any(|label| label.name == *name && label.value == *value);
        if !said && !name.starts_with(crate::ContainerLabels::PREFIX) {
            return Err(keyword(&format!("Labels.{name}"), value, "run_args"));
        }
    }
    Ok(labels.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>().into())
}

/// Commands may hold secrets, so that a refusal does not show them.
fn command(allowance: &Allowance<'_>, fields: &mut Fields, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let said = allowance.resource.values("command");
    let asked = fields.texts("Cmd")?;
    if !asked.is_empty() && asked != said {
        return Err(keyword("Cmd", "something else", "command"));
    }
    let entrypoint = fields.texts("Entrypoint")?;
    let option = allowance.args.entrypoint.as_slice();
    if !entrypoint.is_empty() && entrypoint != allowance.resource.values("entrypoint") && entrypoint != option {
        return Err(keyword("Entrypoint", "something else", "entrypoint"));
    }
    for (name, words) in [("Cmd", asked), ("Entrypoint", entrypoint)] {
        if !words.is_empty() {
            out.insert(name.to_owned(), json!(words));
        }
    }
    Ok(())
}

/// The user of the keyword and nobody else, above all not root where the keyword names somebody else.
pub(crate) fn may_be_user(allowance: &Allowance<'_>, asked: &Option<String>) -> Result<(), GuardRefusal> {
    let said = allowance.either("user", allowance.args.user.as_ref());
    match asked.as_deref() {
        None if said.is_empty() => Ok(()),
        Some(user) if said.contains(&user) => Ok(()),
        asked => Err(keyword("User", asked.unwrap_or("the image's"), "user")),
    }
}

pub(crate) fn may_be_privileged(allowance: &Allowance<'_>, member: &str) -> Result<(), GuardRefusal> {
    if !allowance.resource.flag("privileged") && !allowance.args.privileged {
        return Err(keyword(member, "true", "privileged"));
    }
    allowance.only_root(member.to_owned(), "true".to_owned())
}

fn mac_address(
    allowance: &Allowance<'_>,
    fields: &mut Fields,
    out: &mut Map<String, Value>,
) -> Result<(), GuardRefusal> {
    let Some(asked) = fields.text("MacAddress")? else { return Ok(()) };
    if allowance.args.mac_address.as_ref() != Some(&asked) {
        return Err(keyword("MacAddress", asked, "run_args"));
    }
    out.insert("MacAddress".to_owned(), asked.into());
    Ok(())
}

/// What a container listens on is for people to know; nothing leads there.
fn exposed(fields: &mut Fields, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let ports = fields.set("ExposedPorts")?;
    if !ports.is_empty() {
        out.insert("ExposedPorts".to_owned(), set(ports));
    }
    Ok(())
}

/// Volumes without a name, made anew.
fn volumes(allowance: &Allowance<'_>, fields: &mut Fields, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let targets = fields.set("Volumes")?;
    let said = |target: &&String| {
        allowance.mounts.iter().any(|mount| mount.source.is_none() && mount.target == target.as_str())
    };
    if let Some(target) = targets.iter().find(|target| !said(target)) {
        return Err(keyword("Volumes", target, "volume_mounts"));
    }
    if !targets.is_empty() {
        out.insert("Volumes".to_owned(), set(targets));
    }
    Ok(())
}

fn set(names: Vec<String>) -> Value {
    names.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into()
}

/// `NetworkingConfig`: how it is known in the one network that it is in.
fn networking(
    allowance: &Allowance<'_>,
    host: &Host,
    fields: &mut Fields,
    out: &mut Map<String, Value>,
) -> Result<(), GuardRefusal> {
    const AT: &str = "NetworkingConfig";
    let mut config = Fields::new(AT, fields.object(AT)?);
    let endpoints = config.object("EndpointsConfig")?;
    config.finish()?;
    let mut written = Map::new();
    for (network, value) in endpoints {
        let own = match &host.network {
            Mode::Default => matches!(network.as_str(), "bridge" | "default"),
            Mode::Other(name) => *name == network,
            _ => false,
        };
        if !own {
            return Err(keyword(&format!("{AT}.EndpointsConfig"), network, "netns"));
        }
        let members = match value {
            Value::Object(members) => members,
            Value::Null => Map::new(),
            _ => return Err(GuardRefusal::Shape { member: AT.to_owned(), expected: "an object" }),
        };
        written.insert(network, Value::Object(endpoint(allowance, members)?));
    }
    if !written.is_empty() {
        out.insert(AT.to_owned(), json!({ "EndpointsConfig": written }));
    }
    Ok(())
}

fn endpoint(allowance: &Allowance<'_>, members: Map<String, Value>) -> Result<Map<String, Value>, GuardRefusal> {
    const AT: &str = "EndpointsConfig";
    let args = &allowance.args;
    let mut fields = Fields::new(AT, members);
    let mut out = Map::new();
    let aliases = fields.texts("Aliases")?;
    if let Some(alias) = aliases.iter().find(|alias| !args.network_aliases.contains(alias)) {
        return Err(keyword("Aliases", alias, "run_args"));
    }
    if !aliases.is_empty() {
        out.insert("Aliases".to_owned(), json!(aliases));
    }
    let mut addresses = Fields::new("IPAMConfig", fields.object("IPAMConfig")?);
    let mut ipam = Map::new();
    for (name, said) in [("IPv4Address", &args.ip), ("IPv6Address", &args.ip6)] {
        let Some(asked) = addresses.text(name)? else { continue };
        if said.as_ref() != Some(&asked) {
            return Err(keyword(name, asked, "run_args"));
        }
        ipam.insert(name.to_owned(), asked.into());
    }
    addresses.finish()?;
    if !ipam.is_empty() {
        out.insert("IPAMConfig".to_owned(), Value::Object(ipam));
    }
    mac_address(allowance, &mut fields, &mut out)?;
    fields.finish()?;
    Ok(out)
}
