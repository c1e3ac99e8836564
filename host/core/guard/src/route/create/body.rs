//! The members of the body, but for `HostConfig` and `NetworkingConfig`.

use serde_json::{Map, Value, json};

use super::host_config::host_config;
use super::networking::{mac_address, networking};
use crate::case::RequestCase;
use crate::refusal::GuardRefusal;
use crate::request::members::{MemberReader, MemberShape};
use crate::request::strict_json;
use crate::spec::allowed_spec::{AllowedSpec, not_said};
use crate::spec::image_reference::ImageReference;
use crate::spec::resource::ContainerLabels;
use crate::verdict::{ContainerEffect, ForwardedRequest, NotForwarded};

/// Members that matter inside the container alone.
const HARMLESS: [(&str, MemberShape); 13] = [
    ("Hostname", MemberShape::Text),
    ("Domainname", MemberShape::Text),
    ("AttachStdin", MemberShape::Flag),
    ("AttachStdout", MemberShape::Flag),
    ("AttachStderr", MemberShape::Flag),
    ("Tty", MemberShape::Flag),
    ("OpenStdin", MemberShape::Flag),
    ("StdinOnce", MemberShape::Flag),
    ("Env", MemberShape::Texts),
    ("WorkingDir", MemberShape::Text),
    ("StopSignal", MemberShape::Text),
    ("StopTimeout", MemberShape::Number),
    ("NetworkDisabled", MemberShape::Flag),
];

/// Judges `POST /containers/create`.
pub(crate) fn create(case: &RequestCase<'_>) -> Result<ForwardedRequest, NotForwarded> {
    let spec = case.spec;
    case.target.knows(&["name"])?;
    let name = case.target.parameters.get("name").cloned().unwrap_or_default();
    spec.may_be_named(&name)?;
    // From here on members are taken out of `fields`, and only what passes is put into `out`.
    let mut fields = MemberReader::new("", strict_json::object(case.request.body)?);
    let mut out = Map::new();
    fields.keep(&mut out, &HARMLESS)?;
    let image = image(spec, &mut fields)?;
    out.insert("Image".to_owned(), image.clone().into());
    out.insert("Labels".to_owned(), labels(spec, &mut fields)?);
    command(spec, &mut fields, &mut out)?;
    let user = fields.text("User")?;
    spec.may_be_user(user.as_deref())?;
    user.map(|user| out.insert("User".to_owned(), user.into()));
    mac_address(spec, &mut fields, &mut out)?;
    exposed(&mut fields, &mut out)?;
    health(spec, &mut fields, &mut out)?;
    volumes(spec, &mut fields, &mut out)?;
    // Before the networking, which needs to know the network that was chosen.
    let host = host_config(case, MemberReader::new("HostConfig", fields.object("HostConfig")?))?;
    networking(spec, &host, &mut fields, &mut out)?;
    // A member that the guard does not know could do anything: the API grows.
    fields.finish()?;
    out.insert("HostConfig".to_owned(), Value::Object(host.members));
    let beside = case.volumes_beside(&host.paths, None)?;
    let digest = case.digest_of(&image)?;
    Ok(ForwardedRequest {
        target: case.target.write("/containers/create"),
        headers: case.headers_of_json()?,
        body: Value::Object(out).to_string().into_bytes(),
        paths: host.paths,
        beside,
        sources: spec.sources(),
        describes: None,
        effect: Some(ContainerEffect::Made(name)),
        image: digest,
        what: format!("create a container of {image}, made of the resource's keywords"),
        stream: None,
    })
}

fn image(spec: &AllowedSpec<'_>, fields: &mut MemberReader) -> Result<String, GuardRefusal> {
    let asked = fields.text("Image")?.unwrap_or_default();
    match ImageReference::parse(&asked) {
        Some(image) if Some(&image) == spec.image.as_ref() => Ok(asked),
        _ => Err(not_said("Image", asked, "image")),
    }
}

/// The labels of the resource must be there unchanged, and further labels must be in `run_args`. Those that begin as the
/// host's do are the driver's to set: the three that say whose container it is are checked first.
fn labels(spec: &AllowedSpec<'_>, fields: &mut MemberReader) -> Result<Value, GuardRefusal> {
    let labels = fields.pairs("Labels")?;
    for (name, value) in spec.resource.labels_of(spec.resource.rid) {
        if !labels.iter().any(|(known, said)| known == name && *said == value) {
            return Err(GuardRefusal::Shape { member: format!("Labels.{name}"), expected: "the resource's own" });
        }
    }
    for (name, value) in &labels {
        let said = spec.args.labels.iter().any(|label| label.name == *name && label.value == *value);
        if !said && !name.starts_with(ContainerLabels::PREFIX) {
            return Err(not_said(&format!("Labels.{name}"), value, "run_args"));
        }
    }
    Ok(labels.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>().into())
}

/// A command may contain secrets, so a refusal does not show it.
fn command(
    spec: &AllowedSpec<'_>,
    fields: &mut MemberReader,
    out: &mut Map<String, Value>,
) -> Result<(), GuardRefusal> {
    let said = spec.resource.values("command");
    let asked = fields.texts("Cmd")?;
    if !asked.is_empty() && asked != said {
        return Err(not_said("Cmd", "something else", "command"));
    }
    let entrypoint = fields.texts("Entrypoint")?;
    // The option holds one word; the API takes a list.
    let option = spec.args.entrypoint.as_slice();
    if !entrypoint.is_empty() && entrypoint != spec.resource.values("entrypoint") && entrypoint != option {
        return Err(not_said("Entrypoint", "something else", "entrypoint"));
    }
    for (name, words) in [("Cmd", asked), ("Entrypoint", entrypoint)] {
        if !words.is_empty() {
            out.insert(name.to_owned(), json!(words));
        }
    }
    Ok(())
}

/// A health check runs a program in the container: the one of `run_args`, and no other.
fn health(spec: &AllowedSpec<'_>, fields: &mut MemberReader, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let asked = fields.object("Healthcheck")?;
    if asked.is_empty() {
        return Ok(());
    }
    let mut check = MemberReader::new("Healthcheck", asked.clone());
    if check.texts("Test")? != spec.args.health.test().unwrap_or_default() {
        return Err(not_said("Healthcheck.Test", "something else", "run_args"));
    }
    for (name, said) in spec.args.health.numbers() {
        let number = check.number(name)?;
        if number.is_some() && number != said {
            return Err(not_said(&check.name(name), "another number", "run_args"));
        }
    }
    check.finish()?;
    out.insert("Healthcheck".to_owned(), Value::Object(asked));
    Ok(())
}

/// The ports that a container listens on are information for people: exposing them opens none.
fn exposed(fields: &mut MemberReader, out: &mut Map<String, Value>) -> Result<(), GuardRefusal> {
    let ports = fields.set("ExposedPorts")?;
    if !ports.is_empty() {
        out.insert("ExposedPorts".to_owned(), set(ports));
    }
    Ok(())
}

/// Volumes without a name, which the engine creates for the container.
fn volumes(
    spec: &AllowedSpec<'_>,
    fields: &mut MemberReader,
    out: &mut Map<String, Value>,
) -> Result<(), GuardRefusal> {
    let targets = fields.set("Volumes")?;
    let said =
        |target: &&String| spec.mounts.iter().any(|mount| mount.source.is_none() && mount.target == target.as_str());
    if let Some(target) = targets.iter().find(|target| !said(target)) {
        return Err(not_said("Volumes", target, "volume_mounts"));
    }
    if !targets.is_empty() {
        out.insert("Volumes".to_owned(), set(targets));
    }
    Ok(())
}

fn set(names: Vec<String>) -> Value {
    names.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into()
}
