//! The containers of a resource, found by their labels under any name, and the container of another that has its name.

use std::fmt;

use hostler_sdk::Result;

use crate::engine::EngineResult;
use crate::{ContainerInfo, ContainerLife, EngineClient, label};

/// What an engine has of a resource.
#[derive(Debug, Default)]
pub(crate) struct OwnContainers {
    /// The resource's container: one whose program runs before one whose program does not, one of the right name before others.
    pub(crate) first: Option<ContainerInfo>,
    /// Further containers with the labels of the resource.
    pub(crate) others: Vec<ContainerInfo>,
    /// A container with the resource's name that belongs to something else.
    pub(crate) stranger: Option<ContainerInfo>,
}

impl OwnContainers {
    /// All containers of the resource.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ContainerInfo> {
        self.first.iter().chain(&self.others)
    }
}

impl ContainerLife<'_> {
    /// Looks for the containers of the resource.
    pub(crate) fn search(&self, engine: &EngineClient) -> EngineResult<OwnContainers> {
        let mut own = self.labelled(engine, &self.context.rid)?;
        let has_name = |found: &ContainerInfo| found.name() == self.name;
        // By name too, for a container that is not the resource's and keeps it from having one.
        let stranger = if own.iter().any(has_name) { None } else { engine.container(&self.name)? };
        // It may have been made between the two looks.
        let stranger = stranger.filter(|found| !self.is_labelled(found));
        own.sort_by_key(|found| (!found.phase().is_alive(), !has_name(found)));
        let mut own = own.into_iter();
        Ok(OwnContainers { first: own.next(), others: own.collect(), stranger })
    }

    /// The containers of a resource of the object, on this node.
    fn labelled(&self, engine: &EngineClient, rid: &str) -> EngineResult<Vec<ContainerInfo>> {
        let ids = engine.containers(&self.labels(rid), true)?;
        // One that is gone since it was listed is left out.
        ids.iter().filter_map(|id| engine.container(id).transpose()).collect()
    }

    fn labels<'l>(&'l self, rid: &'l str) -> [(&'static str, &'l str); 3] {
        [(label::OBJECT, self.context.object.as_str()), (label::RID, rid), (label::NODE, self.context.node.as_str())]
    }

    fn is_labelled(&self, found: &ContainerInfo) -> bool {
        self.labels(&self.context.rid).into_iter().all(|(name, value)| found.label(name) == Some(value))
    }

    /// A message about a container of another that has the resource's name.
    pub(crate) fn foreign(&self, stranger: &ContainerInfo) -> String {
        let text = "is not this resource's: remove it, or give this one another name with the keyword name";
        format!("the container {} ({}) {text}", self.name, stranger.short_id())
    }

    /// The container of another resource of the object, one that runs before others.
    pub(super) fn peer(&self, engine: &EngineClient, rid: &str) -> EngineResult<Option<ContainerInfo>> {
        let found = self.labelled(engine, rid)?;
        Ok(found.into_iter().min_by_key(|found| !found.phase().is_alive()))
    }

    /// The containers that share a namespace of this one. Each belongs to a resource of the object.
    pub(super) fn dependents(&self, engine: &EngineClient, of: &ContainerInfo) -> EngineResult<Vec<ContainerInfo>> {
        let ids = engine.containers(&[(label::OBJECT, &self.context.object)], true)?;
        let others = ids.iter().filter(|id| **id != of.id).filter_map(|id| engine.container(id).transpose());
        others.filter(|found| found.as_ref().map_or(true, |found| found.joins(&of.id))).collect()
    }

    /// Why the container does not share the namespaces that it should, if so.
    pub(super) fn namespace_fault(
        &self,
        engine: &EngineClient,
        found: &ContainerInfo,
    ) -> Result<Option<NamespaceFault>> {
        for (kind, rid) in self.container.joined()? {
            let text = match self.peer(engine, &rid)?.filter(|peer| peer.phase().is_alive()) {
                None => format!("{rid} does not run, whose {} the container shares", kind.word()),
                Some(peer) => match (found.namespace(kind.name()), peer.namespace(kind.name())) {
                    (Some(here), Some(there)) if here != there => {
                        let text = format!("{rid} has left the {} that the container shares", kind.word());
                        return Ok(Some(NamespaceFault { text, is_curable: true }));
                    }
                    _ => continue,
                },
            };
            return Ok(Some(NamespaceFault { text, is_curable: false }));
        }
        Ok(None)
    }
}

/// Why a container is not in the namespaces of another one.
#[derive(Debug)]
pub(crate) struct NamespaceFault {
    text: String,
    /// Whether a restart of the container mends it.
    pub(crate) is_curable: bool,
}

impl fmt::Display for NamespaceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
