//! The shell commands that run on a target, see [`hostler_family_remote`]. They read the socket and the images from their
//! standard input, one line each.

/// Prints the id of each image, or `none`. The first command makes sure that the engine answers.
macro_rules! look {
    () => {
        "IFS= read -r socket && /usr/bin/docker -H \\\"unix://$socket\\\" version --format {{.Server.Version}} >/dev/null && \
         while IFS= read -r image; do /usr/bin/docker -H \\\"unix://$socket\\\" image inspect --format {{.Id}} \
         -- \\\"$image\\\" </dev/null || echo none; done"
    };
}

/// Loads the images of a stream.
macro_rules! load {
    () => {
        "IFS= read -r socket && exec /usr/bin/docker -H \\\"unix://$socket\\\" load -q"
    };
}

/// The commands of [`look!`]. In a grant, quotes are written with a backslash, which the shell does not get.
pub(crate) const LOOK: &str = look!();
/// The commands of [`load!`].
pub(crate) const LOAD: &str = load!();
