//! The names of images: `[registry/]name[:tag]`, or with a digest in place of the tag.

/// Whether the text is the name of an image. Texts that could change the path of a request are refused.
pub fn is_reference(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:@".contains(c);
    let part = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(plain);
    // A slash, a query or `..` would lead the request to another path of the API.
    text.split('/').all(part)
}

/// Whether it names one image by its tag: not all images with a name, and not an image by its digest.
pub fn is_tagged(reference: &str) -> bool {
    let (name, tag) = name_and_tag(reference);
    !reference.contains('@') && !tag.is_empty() && reference.len() == name.len() + 1 + tag.len()
}

/// The registry of an image: `registry:5000`, or by default `docker.io`.
pub(crate) fn registry(reference: &str) -> &str {
    let first = reference.split_once('/').map(|(first, _)| first);
    // The first part is a registry only if it looks like a host, as docker decides it.
    first.filter(|first| first.contains(['.', ':']) || *first == "localhost").unwrap_or("docker.io")
}

/// Splits `registry:5000/name:tag` into name and tag. The default tag is `latest`. A digest counts as a tag.
pub(crate) fn name_and_tag(reference: &str) -> (&str, &str) {
    if let Some(parts) = reference.split_once('@') {
        return parts;
    }
    match reference.rsplit_once(':') {
        // A colon followed by a slash belongs to the port of the registry.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_names_and_not_paths() {
        for good in ["mariadb", "tanji/spdc:10", "registry:5000/a/b@sha256:00", "localhost/x"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "/a", "a//b", "../a", "a/..", "a?b", "a b", "-a", "a/%2e"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }

    #[test]
    fn a_reference_has_a_name_and_a_tag() {
        for (reference, expected) in [
            ("mariadb", ("mariadb", "latest")),
            ("tanji/spdc:10", ("tanji/spdc", "10")),
            ("registry:5000/db", ("registry:5000/db", "latest")),
            ("registry:5000/db:1", ("registry:5000/db", "1")),
            ("db@sha256:00", ("db", "sha256:00")),
        ] {
            assert_eq!(name_and_tag(reference), expected, "{reference}");
        }
    }

    #[test]
    fn a_tag_names_one_image() {
        for tagged in ["a:1", "registry:5000/db:1", "docker.io/library/a:latest"] {
            assert!(is_tagged(tagged), "{tagged}");
        }
        for other in ["a", "registry:5000/db", "a@sha256:00", "a:1@sha256:00", "a:"] {
            assert!(!is_tagged(other), "{other}");
        }
    }
}
