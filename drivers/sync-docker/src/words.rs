//! What a target runs, see [`hostler_family_remote`]. Which socket and which images it is about is read, a line each.

/// Tells of each image which one it is, or that there is none, once it is certain that the engine answers.
macro_rules! look {
    () => {
        "IFS= read -r socket && /usr/bin/docker -H \\\"unix://$socket\\\" version --format {{.Server.Version}} >/dev/null && \
         while IFS= read -r image; do /usr/bin/docker -H \\\"unix://$socket\\\" image inspect --format {{.Id}} \
         -- \\\"$image\\\" </dev/null || echo none; done"
    };
}

/// Takes the images of a stream.
macro_rules! load {
    () => {
        "IFS= read -r socket && exec /usr/bin/docker -H \\\"unix://$socket\\\" load -q"
    };
}

/// The words of [`look!`]. In a grant, their quotes have a backslash before them.
pub(crate) const LOOK: &str = look!();
/// The words of [`load!`].
pub(crate) const LOAD: &str = load!();
