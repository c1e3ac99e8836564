//! What the kernel knows of a container that an engine describes. An engine can be wrong about a container: podman says that one runs
//! whose monitor and program were killed, and that one which is being stopped does not run.
//!
//! The driver may not look at processes of others, so the host looks, and says what it saw in headers of the answer. An engine cannot
//! send them: those that it sends are removed.

use std::path::Path;

use kernel::process::{counts_alike, look};

use super::message::HttpResponse;
use crate::{CallContext, CapabilityError};

/// The beginning of all headers that the host adds.
const PREFIX: &str = "hostler-";

/// Whether the first process of the container is there: `runs`; `gone`; `foreign`, if no control group names the container; or
/// `unknown`, if the engine counts processes in another way.
const PROCESS: &str = "hostler-process";

/// The namespaces of that process, as the kernel writes them, with spaces between them.
const NAMESPACES: &str = "hostler-namespaces";

/// The whole id of a container that belongs to another resource.
const STRANGER: &str = "hostler-stranger";

/// Adds what the kernel knows of the first process of container `id` to the engine's answer.
pub(super) async fn describe(
    context: &CallContext,
    socket: &Path,
    id: &str,
    mut response: HttpResponse,
) -> Result<HttpResponse, CapabilityError> {
    response.headers.retain(|(name, _)| !name.starts_with(PREFIX));
    let Some(pid) = guard::first_process(&response.body) else { return Ok(response) };
    let (socket, id) = (socket.to_owned(), id.to_owned());
    let seen = context.aside(format!("look at the process {pid}"), move || headers(&socket, &id, pid)).await?;
    response.headers.extend(seen.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(response)
}

/// The headers of an answer in place of the engine about another resource's container.
pub(super) fn stranger(id: Option<String>) -> Option<(String, String)> {
    id.map(|id| (STRANGER.to_owned(), id))
}

fn headers(socket: &Path, id: &str, pid: u32) -> Vec<(&'static str, String)> {
    let (process, namespaces) = match look(pid) {
        // The control groups of all engines are named after their containers, so this is the container's and no later process with its
        // number.
        Some(seen) if seen.groups.iter().any(|group| group.contains(id)) => ("runs", seen.namespaces),
        _ if !counts_alike(socket) => ("unknown", Vec::new()),
        None => ("gone", Vec::new()),
        // Of an engine that uses no control groups it may be the right one all the same: the driver can ask the engine.
        Some(_) => ("foreign", Vec::new()),
    };
    vec![(PROCESS, process.to_owned()), (NAMESPACES, namespaces.join(" "))]
}
