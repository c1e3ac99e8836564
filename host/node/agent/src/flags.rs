//! Flags of an instance: frozen, snoozed, and which actions failed. `om … freeze`, `thaw`, `snooze` and `clear` change them, and so does
//! an orchestrated action.

use jiff::Timestamp;
use model::{NodeName, ObjectPath};

use crate::file::durable::FileError;
use crate::state::InstanceState;
use crate::{ActError, Agent};

/// Why an instance cannot be frozen, thawed, snoozed or cleared.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {object}")]
pub struct FlagError {
    verb: &'static str,
    object: ObjectPath,
    #[source]
    source: FileError,
}

impl Agent {
    /// Prevents automatic actions on the instance. False if they were prevented already.
    pub fn freeze(&self, path: &ObjectPath) -> Result<bool, FlagError> {
        let state = InstanceState::of(self.home(), path);
        let frozen = state.freeze(Timestamp::now()).inspect(|_| state.announce(0));
        frozen.map_err(|source| FlagError { verb: "freeze", object: path.clone(), source })
    }

    /// Allows automatic actions on the instance. False if they were allowed already.
    pub fn thaw(&self, path: &ObjectPath) -> Result<bool, FlagError> {
        let state = InstanceState::of(self.home(), path);
        let thawed = state.thaw().inspect(|_| state.announce(0));
        thawed.map_err(|source| FlagError { verb: "thaw", object: path.clone(), source })
    }

    /// Forgets which actions failed, and tells a daemon to forget its attempts. False if no failure was noted.
    pub fn clear(&self, path: &ObjectPath) -> Result<bool, FlagError> {
        let state = InstanceState::of(self.home(), path);
        let cleared = state.forget_failures().inspect(|_| state.announce(1));
        cleared.map_err(|source| FlagError { verb: "clear", object: path.clone(), source })
    }

    /// Puts what schedules start off until then, or no longer. False if it was not put off, and still is not.
    pub fn snooze(&self, path: &ObjectPath, until: Option<Timestamp>) -> Result<bool, FlagError> {
        let state = InstanceState::of(self.home(), path);
        let done = match until {
            Some(until) => state.snooze(until).map(|()| true),
            None => state.unsnooze(Timestamp::now()),
        };
        let verb = if until.is_some() { "snooze" } else { "unsnooze" };
        let done = done.inspect(|_| state.announce(0));
        done.map_err(|source| FlagError { verb, object: path.clone(), source })
    }

    /// Does what follows an action on an object as a whole: a stopped instance is frozen, so that nothing restarts it, and a
    /// started one is not. Returns a warning if it could not be frozen: the stop itself has succeeded, and must not fail
    /// because a disk cannot be written to.
    pub fn follow_up(&self, path: &ObjectPath, action: plan::Action) -> Result<Option<String>, FlagError> {
        match action {
            plan::Action::Stop => Ok(self.freeze(path).err().map(|error| {
                format!(
                    "{path}: stopped, but not frozen, so that it may be started automatically: {}",
                    crate::chain(&error.source)
                )
            })),
            plan::Action::Start => self.thaw(path).map(|_| None),
            _ => Ok(None),
        }
    }

    /// The other nodes of the object. An error if it has no instance on this one.
    pub fn peers(&self, path: &ObjectPath) -> Result<Vec<NodeName>, ActError> {
        let configuration = self.configuration(path)?;
        let object = configuration.object()?;
        let (here, peers): (Vec<_>, Vec<_>) =
            object.nodes.iter().chain(&object.drpnodes).cloned().partition(|node| *node == object.node);
        if here.is_empty() && !self.may_hold(path) {
            let nodes = peers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            return Err(ActError::NotHere { object: path.clone(), node: object.node.to_string(), nodes });
        }
        Ok(peers)
    }
}
