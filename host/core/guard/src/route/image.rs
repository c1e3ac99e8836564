//! `/images/…`: the resource's own image may be inspected, pulled and read, and no other.

use crate::case::RequestCase;
use crate::refusal::GuardRefusal;
use crate::spec::image_reference::ImageReference;
use crate::verdict::{ForwardedRequest, NotForwarded};

/// Judges `/images/…`.
pub(crate) fn on_image(case: &RequestCase<'_>, rest: &[&str]) -> Result<ForwardedRequest, NotForwarded> {
    match (case.request.method, rest) {
        ("POST", ["create"]) => pull(case),
        ("GET", [name @ .., verb @ ("json" | "get")]) => {
            let name = own(case, ImageReference::parse(&name.join("/")), &name.join("/"))?;
            case.plain(&format!("{} of the image {name}", if *verb == "get" { "content" } else { "inspection" }), &[])
        }
        _ => Err(case.unknown().into()),
    }
}

fn own(case: &RequestCase<'_>, image: Option<ImageReference>, shown: &str) -> Result<ImageReference, GuardRefusal> {
    image.filter(|image| Some(image) == case.spec.image.as_ref()).ok_or_else(|| GuardRefusal::Keyword {
        member: "the image".to_owned(),
        value: shown.to_owned(),
        keyword: "image",
    })
}

/// Judges a pull. The forwarded request always names a tag: without one, the engine would pull all tags.
fn pull(case: &RequestCase<'_>) -> Result<ForwardedRequest, NotForwarded> {
    let parameter = |name: &str| case.target.parameters.get(name).map(String::as_str);
    let name = parameter("fromImage").unwrap_or_default();
    let image = own(case, ImageReference::of(name, parameter("tag")), name)?;
    let mut forward = case.at_with(&format!("pull the image {image}"), &["fromImage", "tag"], &["x-registry-auth"])?;
    // In its one spelling, so that the engine pulls what was compared.
    let mut target = case.target.clone();
    target.parameters.insert("fromImage".to_owned(), image.name);
    target.parameters.insert("tag".to_owned(), image.tag);
    forward.target = target.write("/images/create");
    Ok(forward)
}
