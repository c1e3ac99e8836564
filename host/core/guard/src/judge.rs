//! The entry: judges one request by the part of the API that it is about.

use crate::case::RequestCase;
use crate::engine_facts::EngineFacts;
use crate::request::engine_request::EngineRequest;
use crate::request::target::RequestTarget;
use crate::route::{container, create, exec, image, listing};
use crate::spec::allowed_spec::AllowedSpec;
use crate::spec::resource::ContainerResource;
use crate::verdict::{ForwardedRequest, GuardVerdict, NotForwarded};

/// Judges a request, with what was looked up for it so far.
pub fn judge(request: &EngineRequest<'_>, resource: &ContainerResource<'_>, facts: &EngineFacts) -> GuardVerdict {
    match route(request, resource, facts) {
        Ok(forward) => GuardVerdict::Forward(Box::new(forward)),
        Err(NotForwarded::LookUp(lookup)) => GuardVerdict::LookUp(lookup),
        Err(NotForwarded::Answer { status, body, stranger }) => GuardVerdict::Answer { status, body, stranger },
        Err(NotForwarded::Deny(refusal)) => GuardVerdict::Deny(refusal),
    }
}

fn route(
    request: &EngineRequest<'_>,
    resource: &ContainerResource<'_>,
    facts: &EngineFacts,
) -> Result<ForwardedRequest, NotForwarded> {
    let target = RequestTarget::parse(request.target)?;
    // Keywords that cannot be read allow nothing at all, not even looking.
    let spec = AllowedSpec::of(resource)?;
    let case = RequestCase { request: *request, target, spec: &spec, facts };
    let segments: Vec<&str> = case.target.segments.iter().map(String::as_str).collect();
    match (request.method, &segments[..]) {
        ("GET" | "HEAD", ["_ping"]) | ("GET", ["version" | "info"]) => case.plain("look at the engine", &[]),
        ("GET", ["containers", "json"]) => listing::containers(&case),
        ("POST", ["containers", "create"]) => create::create(&case),
        (_, ["containers", name]) => container::on_container(&case, name, ""),
        (_, ["containers", name, verb]) => container::on_container(&case, name, verb),
        (_, ["exec", id, verb]) => exec::on_exec(&case, id, verb),
        (_, ["images", rest @ ..]) => image::on_image(&case, rest),
        _ => Err(case.unknown().into()),
    }
}
