//! Consoles: the operator's terminal, connected to the inside of a resource. Nothing is locked for it, and nothing is decided
//! here: the driver describes, the host checks and connects.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use driver::{ActionError, CallBounds, Console, Silent, Terminal};
use model::Verb;
use model::config::{Object, Resource};
use model::object::Timeouts;
use model::{ObjectPath, Rid};

use crate::agent::Agent;
use crate::drivers::AvailableDrivers;
use crate::instance::{ActionSession, Instance};
use crate::object::{NoResource, NoUsableConfiguration, ObjectError};
use crate::snapshot::Snapshot;

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// There is no such object, or its files cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The configuration has errors, and there is no earlier valid version.
    #[error(transparent)]
    Configuration(#[from] NoUsableConfiguration),
    /// The object has no such resource.
    #[error(transparent)]
    NoResource(#[from] NoResource),
    /// None of its resources has an inside.
    #[error("no resource of {0} has a console")]
    NoneInside(ObjectPath),
    /// Several have, and none was named.
    #[error("name one of the resources of {object} with --rid: {rids}")]
    Which {
        /// The object.
        object: ObjectPath,
        /// Those that have.
        rids: String,
    },
    /// A keyword speaks of what does not exist now.
    #[error("{rid}: {what}")]
    Unresolved {
        /// The resource.
        rid: Rid,
        /// What.
        what: String,
    },
    /// The driver said no, or what it described is not allowed.
    #[error("{rid}: {error}")]
    Failed {
        /// The resource.
        rid: Rid,
        /// Why.
        error: ActionError,
    },
}

impl Agent {
    /// Connects a terminal, until either side ends it. Without `rid`, the object's only resource that has an inside is meant.
    /// Returns the exit status of what ran there.
    pub async fn console(
        &self,
        path: &ObjectPath,
        rid: Option<&Rid>,
        asked: &Console,
        terminal: &Terminal,
    ) -> Result<i32, ConsoleError> {
        let snapshot = Snapshot::take(self, path).await?;
        let object = snapshot.object()?;
        let resource = inside(&snapshot.available, object, rid, asked)?;
        let instance = Instance::new(self, object, &snapshot);
        let (mut call, unresolved) = instance.call_now(&ActionSession::default(), resource).await;
        // The driver decides by it whether there is to be a terminal inside.
        call.vars.push(("tty".to_owned(), terminal.input.is_terminal().to_string()));
        let rid = resource.rid.clone();
        if let Some(what) = unresolved {
            return Err(ConsoleError::Unresolved { rid, what });
        }
        let ended = instance
            .driver(&resource.driver)
            .console(
                asked,
                terminal,
                &call,
                &CallBounds::within(Timeouts::default().of(Verb::Status)),
                Arc::new(Silent),
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

/// The resource that is meant.
fn inside<'a>(
    available: &AvailableDrivers,
    object: &'a Object,
    rid: Option<&Rid>,
    asked: &Console,
) -> Result<&'a Resource, ConsoleError> {
    let path = &object.path;
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
