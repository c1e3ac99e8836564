//! What the kernel knows of a container that an engine describes. An engine can be wrong about a container: podman says that one runs
//! whose monitor and program were killed, and that one which is being stopped does not run.
//!
//! The driver may not look at processes of others, so the host looks, and says what it saw in headers of the answer. An engine cannot
//! send them: those that it sends are removed.

use std::path::Path;

use holding::Holding;
use kernel::process::{FirstProcess, ProcessLook, counts_alike, is_started_for, look};

use super::message::HttpResponse;
use crate::{CallContext, CapabilityError};

/// The beginning of all headers that the host adds.
const PREFIX: &str = "hostler-";

/// Whether the first process of the container is there: `runs`; `gone`; `foreign`, if the number is another process's by now; or
/// `unknown`, if the engine counts processes in another way, or if nothing tells whose process it is.
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
    let named = NamedProcess {
        pid,
        container: id.to_owned(),
        recorded: recorded(context, id),
        has_own_pids: guard::has_own_pids(&response.body),
    };
    let socket = socket.to_owned();
    let seen = context.aside(format!("look at the process {pid}"), move || named.headers(&socket)).await?;
    response.headers.extend(seen.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(response)
}

/// The headers of an answer in place of the engine about another resource's container.
pub(super) fn stranger(id: Option<String>) -> Option<(String, String)> {
    id.map(|id| (STRANGER.to_owned(), id))
}

/// The first processes that the host saw of this container when it was started, by whichever resource of the object.
fn recorded(context: &CallContext, id: &str) -> Vec<FirstProcess> {
    let is_it = |record: &holding::HoldingRecord| match &record.holding {
        Holding::Container(container) => container.id.as_deref() == Some(id),
        _ => false,
    };
    let records = context.ledger().ledger.records(is_it).into_iter();
    let process = records.filter_map(|record| match record.holding {
        Holding::Container(container) => container.process,
        _ => None,
    });
    process.map(|(pid, started)| FirstProcess { pid, started }).collect()
}

/// The process that an engine names as the first one of a container, and what is known of that one besides.
struct NamedProcess {
    pid: u32,
    container: String,
    recorded: Vec<FirstProcess>,
    has_own_pids: bool,
}

impl NamedProcess {
    fn headers(&self, socket: &Path) -> Vec<(&'static str, String)> {
        let (process, namespaces) = match look(self.pid) {
            Some(seen) if self.is_its_own(&seen) => ("runs", seen.namespaces),
            // Before the absence of the number: where the engine counts in another namespace, it says nothing.
            _ if !counts_alike(socket) => ("unknown", Vec::new()),
            None => ("gone", Vec::new()),
            Some(seen) if self.is_another(&seen) => ("foreign", Vec::new()),
            // The engine's word counts: what may run is not down.
            Some(_) => ("unknown", Vec::new()),
        };
        vec![(PROCESS, process.to_owned()), (NAMESPACES, namespaces.join(" "))]
    }

    /// Whether it is the container's: all engines name control groups after their containers, and their own processes have the id among
    /// their arguments. Something may have moved it to another group since: then the record of its start tells.
    fn is_its_own(&self, seen: &ProcessLook) -> bool {
        let first = FirstProcess { pid: self.pid, started: seen.started };
        seen.groups.iter().any(|group| group.contains(&self.container))
            || self.recorded.contains(&first)
            || is_started_for(self.pid, &self.container)
    }

    /// Whether it is surely not the container's: the process of that number has started anew since, or it is where the container's
    /// processes are not.
    fn is_another(&self, seen: &ProcessLook) -> bool {
        let was_used_again = self.recorded.iter().any(|first| first.pid == self.pid);
        let here = look(std::process::id()).map(|own| pids_of(&own).map(str::to_owned)).unwrap_or_default();
        was_used_again || (self.has_own_pids && here.is_some() && pids_of(seen) == here.as_deref())
    }
}

/// The namespace in which the process has its number.
fn pids_of(seen: &ProcessLook) -> Option<&str> {
    seen.namespaces.iter().map(String::as_str).find(|namespace| namespace.starts_with("pid:"))
}
