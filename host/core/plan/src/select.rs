//! Who takes part, and the natural order of those who do.

use std::collections::{BTreeSet, HashMap};

use model::{Group, Rid, SubsetName};

use crate::{Action, Barrier, Instance, PlanError, Request, Resource};

/// The direction of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Along the order of start.
    Up,
    /// Against it.
    Down,
}

/// The resources of an instance, by their ids and by their places in it. Its making checks what must hold for every
/// action.
pub(crate) struct Index<'a> {
    pub(crate) resources: &'a [Resource],
    places: HashMap<&'a Rid, usize>,
}

impl<'a> Index<'a> {
    pub(crate) fn new(instance: &'a Instance) -> Result<Index<'a>, PlanError> {
        let mut places = HashMap::with_capacity(instance.resources.len());
        for (place, resource) in instance.resources.iter().enumerate() {
            if places.insert(&resource.rid, place).is_some() {
                return Err(PlanError::Twice(resource.rid.clone()));
            }
        }
        let index = Index { resources: &instance.resources, places };
        instance.resources.iter().try_for_each(|resource| index.container_of(resource).map(drop))?;
        Ok(index)
    }

    pub(crate) fn place(&self, rid: &Rid) -> Option<usize> {
        self.places.get(rid).copied()
    }

    fn get(&self, rid: &Rid) -> Option<&'a Resource> {
        self.place(rid).map(|place| &self.resources[place])
    }

    /// The container that `netns` names.
    pub(crate) fn container_of(&self, resource: &'a Resource) -> Result<Option<&'a Resource>, PlanError> {
        let Some(name) = &resource.netns else { return Ok(None) };
        let names = || (resource.rid.clone(), name.clone());
        match self.get(name) {
            None => {
                let (rid, container) = names();
                Err(PlanError::NoContainer { rid, container })
            }
            Some(container) if name.group() == Group::Container && name != &resource.rid => Ok(Some(container)),
            Some(_) => {
                let (rid, container) = names();
                Err(PlanError::NotAContainer { rid, container })
            }
        }
    }

    /// Where the resource stands in the order of start.
    pub(crate) fn slot(&self, resource: &'a Resource) -> Slot<'a> {
        let container = resource.netns.as_ref().and_then(|name| self.get(name));
        let (head, linked) = match container {
            Some(container) if belongs_to_container(resource) => (container, Some(&resource.rid)),
            _ => (resource, None),
        };
        Slot { group: head.rid.group(), subset: head.subset.as_ref(), head: &head.rid, linked }
    }
}

/// Whether the resource acts together with the container that its `netns` names: an address does. A container that joins
/// the network namespace of another one keeps its own place.
pub(crate) fn belongs_to_container(resource: &Resource) -> bool {
    resource.rid.group() == Group::Ip && resource.netns.is_some()
}

/// A place in the order of start: by group, then without subset before the subsets by name, then by id, and an address
/// after the container whose network namespace it goes into. The order of the fields is that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot<'a> {
    pub(crate) group: Group,
    pub(crate) subset: Option<&'a SubsetName>,
    head: &'a Rid,
    linked: Option<&'a Rid>,
}

impl Slot<'_> {
    pub(crate) fn same_stage(&self, other: &Slot<'_>) -> bool {
        (self.group, self.subset) == (other.group, other.subset)
    }
}

/// Where `--to` ends.
pub(crate) enum Limit<'a> {
    None,
    Group(Group),
    Slot(Slot<'a>),
}

impl<'a> Limit<'a> {
    pub(crate) fn new(index: &Index<'a>, to: Option<&Barrier>) -> Result<Limit<'a>, PlanError> {
        Ok(match to {
            None => Limit::None,
            Some(Barrier::Group(group)) => Limit::Group(*group),
            Some(Barrier::Rid(rid)) => {
                let resource = index.get(rid).ok_or_else(|| PlanError::NoResource(rid.clone()))?;
                Limit::Slot(index.slot(resource))
            }
        })
    }

    /// Whether a place lies beyond. Addresses of the container at the limit belong to it, and are not.
    pub(crate) fn excludes(&self, slot: Slot<'_>, turn: Turn) -> bool {
        match (self, turn) {
            (Limit::None, _) => false,
            (Limit::Group(group), Turn::Up) => slot.group > *group,
            (Limit::Group(group), Turn::Down) => slot.group < *group,
            (Limit::Slot(limit), Turn::Up) => slot > *limit && !(limit.linked.is_none() && slot.head == limit.head),
            (Limit::Slot(limit), Turn::Down) => slot < *limit,
        }
    }
}

/// The places of the resources that the request is about, in the order of start.
pub(crate) fn members<'a>(index: &Index<'a>, request: &Request) -> Result<Vec<(Slot<'a>, usize)>, PlanError> {
    let selected = |resource: &Resource| match &request.selected {
        None => request.action.concerns(resource.rid.group()),
        Some(rids) => rids.contains(&resource.rid) || comes_along(resource, rids, request.action),
    };
    let unknown = |rid: &&Rid| index.place(rid).is_none();
    if let Some(unknown) = request.selected.iter().flatten().find(unknown) {
        return Err(PlanError::NoResource(unknown.clone()));
    }
    let chosen = index.resources.iter().enumerate().filter(|(_, resource)| selected(resource));
    let mut members: Vec<_> = chosen.map(|(place, resource)| (index.slot(resource), place)).collect();
    // Stable, because that one is fast on what is almost in order, as configurations are.
    members.sort_by_key(|(slot, _)| *slot);
    Ok(members)
}

/// Addresses come along with the container that they belong to.
fn comes_along(resource: &Resource, rids: &BTreeSet<Rid>, action: Action) -> bool {
    let belongs = belongs_to_container(resource) && resource.netns.as_ref().is_some_and(|name| rids.contains(name));
    belongs && action.concerns(resource.rid.group())
}
