//! The reference of an image in its one spelling: `busybox` is `docker.io/library/busybox:latest`.

use std::fmt;

use crate::GuardRefusal;
use crate::judge::{Case, ForwardedRequest, Stop};

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// `docker.io/library/busybox`
    pub(crate) name: String,
    /// `latest`, or `sha256:…`
    pub(crate) tag: String,
}

impl Image {
    /// Reads a reference. None for what no engine would take for one.
    pub(crate) fn parse(text: &str) -> Option<Image> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let colon = name.rfind(':').filter(|colon| !name[*colon..].contains('/'));
        let (name, tag) = match colon {
            Some(colon) => (&name[..colon], Some(&name[colon + 1..])),
            None => (name, None),
        };
        let tag = match (tag, digest) {
            (_, Some(digest)) => digest,
            (Some(tag), None) => tag,
            (None, None) => "latest",
        };
        let of = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let parts_are_plain = name.split('/').all(|part| of(part, "._-:") && !part.starts_with(['.', '-']));
        let legal = of(name, "./_-:") && parts_are_plain && of(tag, "._-:") && !tag.starts_with(['.', '-']);
        legal.then(|| Image { name: full_name(name), tag: tag.to_owned() })
    }

    /// Reads a repository and a tag, as `images/create` takes them.
    pub(crate) fn of(name: &str, tag: Option<&str>) -> Option<Image> {
        let separator = |tag: &str| if tag.starts_with("sha256:") { "@" } else { ":" };
        match tag.filter(|tag| !tag.is_empty()) {
            // Two tags would be one too many.
            Some(_) if name.contains('@') || name.rfind(':') > name.rfind('/') => None,
            Some(tag) => Image::parse(&format!("{name}{}{tag}", separator(tag))),
            None => Image::parse(name),
        }
    }
}

/// With the registry and the library that go without saying.
fn full_name(name: &str) -> String {
    let registry = name.split_once('/').filter(|(first, _)| first.contains(['.', ':']) || *first == "localhost");
    match registry {
        Some(("docker.io" | "index.docker.io", rest)) => full_name(rest),
        Some(_) => name.to_owned(),
        None if name.contains('/') => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.tag.starts_with("sha256:") { '@' } else { ':' };
        write!(f, "{}{separator}{}", self.name, self.tag)
    }
}

/// `/images/…`: the resource's own image is looked at, pulled and read; nothing else.
pub(crate) fn on_image(case: &Case<'_>, rest: &[&str]) -> Result<ForwardedRequest, Stop> {
    match (case.request.method, rest) {
        ("POST", ["create"]) => pull(case),
        ("GET", [name @ .., verb @ ("json" | "get")]) => {
            let name = own(case, Image::parse(&name.join("/")), &name.join("/"))?;
            case.plain(&format!("{} of the image {name}", if *verb == "get" { "content" } else { "inspection" }), &[])
        }
        _ => Err(case.unknown().into()),
    }
}

fn own(case: &Case<'_>, image: Option<Image>, shown: &str) -> Result<Image, GuardRefusal> {
    image.filter(|image| Some(image) == case.allowance.image.as_ref()).ok_or_else(|| GuardRefusal::Keyword {
        member: "the image".to_owned(),
        value: shown.to_owned(),
        keyword: "image",
    })
}

/// A pull names a tag in what is let through: without one, all tags would come.
fn pull(case: &Case<'_>) -> Result<ForwardedRequest, Stop> {
    let parameter = |name: &str| case.target.parameters.get(name).map(String::as_str);
    let name = parameter("fromImage").unwrap_or_default();
    let image = own(case, Image::of(name, parameter("tag")), name)?;
    let mut forward = case.at_with(&format!("pull the image {image}"), &["fromImage", "tag"], &["x-registry-auth"])?;
    let mut target = case.target.clone();
    target.parameters.insert("fromImage".to_owned(), image.name);
    target.parameters.insert("tag".to_owned(), image.tag);
    forward.target = target.write("/images/create");
    Ok(forward)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_one_spelling() {
        for (text, expected) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("docker.io/busybox", "docker.io/library/busybox:latest"),
            ("index.docker.io/library/busybox:1", "docker.io/library/busybox:1"),
            ("opensvc/pause", "docker.io/opensvc/pause:latest"),
            ("ghcr.io/opensvc/pause:1.2", "ghcr.io/opensvc/pause:1.2"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
            ("localhost/a:b", "localhost/a:b"),
            ("a:1@sha256:00ff", "docker.io/library/a@sha256:00ff"),
        ] {
            assert_eq!(Image::parse(text).map(|image| image.to_string()).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", ":", "a:", "a b", "a//b", "/a", "a/../b", "-a", "a:-b", "a@", "a?b", "a%2fb"] {
            assert_eq!(Image::parse(bad), None, "{bad}");
        }
        assert_eq!(Image::of("a", Some("1")), Image::parse("a:1"));
        assert_eq!(Image::of("a:2", Some("1")), None);
        assert_eq!(Image::of("host:5000/a", Some("1")), Image::parse("host:5000/a:1"));
    }
}
