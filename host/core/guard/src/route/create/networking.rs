//! `NetworkingConfig`: names and addresses of the container in the one network that it joins.

use serde_json::{Map, Value, json};

use super::host_config::JudgedHostConfig;
use crate::refusal::GuardRefusal;
use crate::request::members::MemberReader;
use crate::spec::allowed_spec::{AllowedSpec, not_said};
use crate::spec::namespace_mode::NamespaceMode;

/// Judges `NetworkingConfig`, after the network was judged.
pub(super) fn networking(
    spec: &AllowedSpec<'_>,
    host: &JudgedHostConfig,
    fields: &mut MemberReader,
    out: &mut Map<String, Value>,
) -> Result<(), GuardRefusal> {
    const AT: &str = "NetworkingConfig";
    let mut config = MemberReader::new(AT, fields.object(AT)?);
    let endpoints = config.object("EndpointsConfig")?;
    config.finish()?;
    let mut written = Map::new();
    for (network, value) in endpoints {
        // Only the network that was judged: joining a second one by name would go past that judgement.
        let own = match &host.network {
            NamespaceMode::Default => matches!(network.as_str(), "bridge" | "default"),
            NamespaceMode::Other(name) => *name == network,
            _ => false,
        };
        if !own {
            return Err(not_said(&format!("{AT}.EndpointsConfig"), network, "netns"));
        }
        let members = match value {
            Value::Object(members) => members,
            Value::Null => Map::new(),
            _ => return Err(GuardRefusal::Shape { member: AT.to_owned(), expected: "an object" }),
        };
        written.insert(network, Value::Object(endpoint(spec, members)?));
    }
    if !written.is_empty() {
        out.insert(AT.to_owned(), json!({ "EndpointsConfig": written }));
    }
    Ok(())
}

fn endpoint(spec: &AllowedSpec<'_>, members: Map<String, Value>) -> Result<Map<String, Value>, GuardRefusal> {
    const AT: &str = "EndpointsConfig";
    let args = &spec.args;
    let mut fields = MemberReader::new(AT, members);
    let mut out = Map::new();
    let aliases = fields.texts("Aliases")?;
    if let Some(alias) = aliases.iter().find(|alias| !args.network_aliases.contains(alias)) {
        return Err(not_said("Aliases", alias, "run_args"));
    }
    if !aliases.is_empty() {
        out.insert("Aliases".to_owned(), json!(aliases));
    }
    let mut addresses = MemberReader::new("IPAMConfig", fields.object("IPAMConfig")?);
    let mut ipam = Map::new();
    // Another address could be that of another container.
    for (name, said) in [("IPv4Address", &args.ip), ("IPv6Address", &args.ip6)] {
        let Some(asked) = addresses.text(name)? else { continue };
        if said.as_ref() != Some(&asked) {
            return Err(not_said(name, asked, "run_args"));
        }
        ipam.insert(name.to_owned(), asked.into());
    }
    // Link-local addresses and the like are unknown here.
    addresses.finish()?;
    if !ipam.is_empty() {
        out.insert("IPAMConfig".to_owned(), Value::Object(ipam));
    }
    mac_address(spec, &mut fields, &mut out)?;
    fields.finish()?;
    Ok(out)
}

pub(super) fn mac_address(
    spec: &AllowedSpec<'_>,
    fields: &mut MemberReader,
    out: &mut Map<String, Value>,
) -> Result<(), GuardRefusal> {
    let Some(asked) = fields.text("MacAddress")? else { return Ok(()) };
    if spec.args.mac_address.as_ref() != Some(&asked) {
        return Err(not_said("MacAddress", asked, "run_args"));
    }
    out.insert("MacAddress".to_owned(), asked.into());
    Ok(())
}
