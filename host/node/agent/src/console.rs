//! Consoles: the operator's terminal, connected to the inside of a resource. The driver describes what to connect to, and the
//! host checks that and connects the terminal. No lock is taken: the operator may look inside while an action runs.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use driver::{ActionError, CallBounds, ConsoleRequest, OperatorTerminal, SilentLog};
use model::Verb;
use model::object::VerbTimeouts;
use model::object::{Object, Resource};
use model::{ObjectPath, Rid};

use crate::agent::Agent;
use crate::drivers::AvailableDrivers;
use crate::instance::{ActionSession, Instance};
use crate::object::{NoResource, NoUsableConfiguration, ObjectError};
use crate::snapshot::Snapshot;

/// Why no console was opened.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The object does not exist, or its files cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// The object has no such resource.
    #[error(transparent)]
    NoResource(#[from] NoResource),
    /// No resource of the object has a console.
    #[error("no resource of {0} has a console")]
    NoneInside(ObjectPath),
    /// Several resources have a console, and the caller named none.
    #[error("name one of the resources of {object} with --rid: {rids}")]
    Which { object: ObjectPath, rids: String },
    /// A keyword names something that does not exist now.
    #[error("{rid}: {what}")]
    Unresolved { rid: Rid, what: String },
    /// The driver refused, or the host does not allow what it described.
    #[error("{rid}: {error}")]
    Failed { rid: Rid, error: ActionError },
}

impl Agent {
    /// Connects a terminal until either side closes it, and returns the exit status of the program inside. Without `rid`, the
    /// object must have exactly one resource that has a console.
    pub async fn console(
        &self,
        path: &ObjectPath,
        rid: Option<&Rid>,
        asked: &ConsoleRequest,
        terminal: &OperatorTerminal,
    ) -> Result<i32, ConsoleError> {
        let snapshot = Snapshot::take(self, path).await?;
        let object = snapshot.object()?;
        let resource = inside(&snapshot.available, object, rid, asked)?;
        let instance = Instance::new(self, object, &snapshot);
        let (mut call, unresolved) = instance.call_now(&ActionSession::default(), resource).await;
        // The driver allocates a terminal inside only if the operator sits at one.
        Arc::make_mut(&mut call.vars).push(("tty".to_owned(), terminal.input.is_terminal().to_string()));
        let rid = resource.rid.clone();
        // Unlike a status, a console of half a resource is of no use.
        if let Some(what) = unresolved {
            return Err(ConsoleError::Unresolved { rid, what });
        }
        // The limit is that of a status, because it bounds only the driver, which describes what to connect to. The
        // session itself, in which the driver has no part any more, has no limit.
        let ended = instance
            .driver(&resource.driver)
            .console(
                asked,
                terminal,
                &call,
                &CallBounds::within(VerbTimeouts::default().of(Verb::Status)),
                Arc::new(SilentLog),
            )
            .await;
        ended.map_err(|error| ConsoleError::Failed { rid, error })
    }

    /// The sockets of container engines that the object's resources reach under guard, each once, in the order of the
    /// configuration.
    pub async fn engines(&self, path: &ObjectPath) -> Result<Vec<PathBuf>, ConsoleError> {
        let snapshot = Snapshot::take(self, path).await?;
        let object = snapshot.object()?;
        let instance = Instance::new(self, object, &snapshot);
        let mut sockets: Vec<PathBuf> = Vec::new();
        for resource in &object.resources {
            let Some(known) = snapshot.available.get(&resource.driver) else { continue };
            // A driver that requests no guarded socket can hold none, so it need not be loaded.
            if !known.manifest.grants.iter().any(|line| line.starts_with("http.unix(guard=")) {
                continue;
            }
            let (call, _) = instance.call_now(&ActionSession::default(), resource).await;
            let grants = self.grants(known, &call).await.ok().and_then(Result::ok);
            for socket in grants.iter().flat_map(grant::Grants::guarded_sockets) {
                if !sockets.contains(&socket) {
                    sockets.push(socket);
                }
            }
        }
        Ok(sockets)
    }
}

/// The resource to connect to.
fn inside<'a>(
    available: &AvailableDrivers,
    object: &'a Object,
    rid: Option<&Rid>,
    asked: &ConsoleRequest,
) -> Result<&'a Resource, ConsoleError> {
    let path = &object.path;
    // The one that is named is asked in any case: its driver says best why it has no console.
    if let Some(rid) = rid {
        return object.resource(rid).ok_or_else(|| NoResource(path.clone(), rid.clone()).into());
    }
    let can = |resource: &&Resource| {
        let known = available.get(&resource.driver);
        !resource.disable && known.is_some_and(|known| known.manifest.verbs.contains(&asked.verb()))
    };
    match &object.resources.iter().filter(can).collect::<Vec<_>>()[..] {
        [] => Err(ConsoleError::NoneInside(path.clone())),
        [resource] => Ok(resource),
        several => {
            let rids: Vec<String> = several.iter().map(|resource| resource.rid.to_string()).collect();
            Err(ConsoleError::Which { object: path.clone(), rids: rids.join(", ") })
        }
    }
}
