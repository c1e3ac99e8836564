//! References of images in one spelling: `busybox` is `docker.io/library/busybox:latest`.

use std::fmt;

/// A reference of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageReference {
    /// `docker.io/library/busybox`
    pub(crate) name: String,
    /// `latest`, or `sha256:…`
    pub(crate) tag: String,
}

impl ImageReference {
    /// Reads a reference. `None` if no engine would accept it.
    pub(crate) fn parse(text: &str) -> Option<ImageReference> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before a slash belongs to the port of a registry.
        let colon = name.rfind(':').filter(|colon| !name[*colon..].contains('/'));
        let (name, tag) = match colon {
            Some(colon) => (&name[..colon], Some(&name[colon + 1..])),
            None => (name, None),
        };
        let tag = match (tag, digest) {
            // A digest says more than a tag, and engines ignore the tag then.
            (_, Some(digest)) => digest,
            (Some(tag), None) => tag,
            (None, None) => "latest",
        };
        let of = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let parts_are_plain = name.split('/').all(|part| of(part, "._-:") && !part.starts_with(['.', '-']));
        let legal = of(name, "./_-:") && parts_are_plain && of(tag, "._-:") && !tag.starts_with(['.', '-']);
        legal.then(|| ImageReference { name: full_name(name), tag: tag.to_owned() })
    }

    /// Reads a repository and a tag, as `images/create` takes them.
    pub(crate) fn of(name: &str, tag: Option<&str>) -> Option<ImageReference> {
        let separator = |tag: &str| if tag.starts_with("sha256:") { "@" } else { ":" };
        match tag.filter(|tag| !tag.is_empty()) {
            // The name has a tag of its own already.
            Some(_) if name.contains('@') || name.rfind(':') > name.rfind('/') => None,
            Some(tag) => ImageReference::parse(&format!("{name}{}{tag}", separator(tag))),
            None => ImageReference::parse(name),
        }
    }
}

/// Adds the registry and the library that engines assume.
fn full_name(name: &str) -> String {
    // The rule of docker's own parser (github.com/distribution/reference, `splitDockerDomain`). The names of hubs have no capitals.
    let is_registry = |first: &str| {
        first.contains(['.', ':']) || first == "localhost" || first.chars().any(|letter| letter.is_ascii_uppercase())
    };
    let registry = name.split_once('/').filter(|(first, _)| is_registry(first));
    match registry {
        Some(("docker.io" | "index.docker.io", rest)) => full_name(rest),
        Some(_) => name.to_owned(),
        None if name.contains('/') => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.tag.starts_with("sha256:") { '@' } else { ':' };
        write!(f, "{}{separator}{}", self.name, self.tag)
    }
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
            ("HOST/a", "HOST/a:latest"),
            ("a:1@sha256:00ff", "docker.io/library/a@sha256:00ff"),
        ] {
            assert_eq!(ImageReference::parse(text).map(|image| image.to_string()).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", ":", "a:", "a b", "a//b", "/a", "a/../b", "-a", "a:-b", "a@", "a?b", "a%2fb"] {
            assert_eq!(ImageReference::parse(bad), None, "{bad}");
        }
        assert_eq!(ImageReference::of("a", Some("1")), ImageReference::parse("a:1"));
        assert_eq!(ImageReference::of("a:2", Some("1")), None);
        assert_eq!(ImageReference::of("host:5000/a", Some("1")), ImageReference::parse("host:5000/a:1"));
    }
}
