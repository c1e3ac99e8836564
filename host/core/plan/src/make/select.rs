//! Which resources take part in an action, and their natural order.

use std::collections::{BTreeSet, HashMap};

use model::status::State;
use model::{Group, Rid, SubsetName};

use crate::{Action, Barrier, InstanceFacts, PlanError, PlanRequest, ResourceFacts};

/// The direction of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Along the order of start.
    Up,
    /// Against it.
    Down,
}

/// The resources of an instance, by their ids and by their places in it. Making one checks what must hold for every action:
/// ids are unique, and each `netns` names a container.
pub(crate) struct ResourceIndex<'a> {
    pub(crate) resources: &'a [ResourceFacts],
    places: HashMap<&'a Rid, usize>,
}

impl<'a> ResourceIndex<'a> {
    pub(crate) fn new(instance: &'a InstanceFacts) -> Result<ResourceIndex<'a>, PlanError> {
        let mut places = HashMap::with_capacity(instance.resources.len());
        for (place, resource) in instance.resources.iter().enumerate() {
            // Steps are found by their ids later, so ids must be unique.
            if places.insert(&resource.rid, place).is_some() {
                return Err(PlanError::Twice(resource.rid.clone()));
            }
        }
        let index = ResourceIndex { resources: &instance.resources, places };
        instance.resources.iter().try_for_each(|resource| index.container_of(resource).map(drop))?;
        Ok(index)
    }

    pub(crate) fn place(&self, rid: &Rid) -> Option<usize> {
        self.places.get(rid).copied()
    }

    fn get(&self, rid: &Rid) -> Option<&'a ResourceFacts> {
        self.place(rid).map(|place| &self.resources[place])
    }

    /// The container that `netns` names.
    pub(crate) fn container_of(&self, resource: &'a ResourceFacts) -> Result<Option<&'a ResourceFacts>, PlanError> {
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
    pub(crate) fn position(&self, resource: &'a ResourceFacts) -> Position<'a> {
        let container = resource.netns.as_ref().and_then(|name| self.get(name));
        // An address has the position of its container, right behind it: before, the namespace does not exist.
        let (head, linked) = match container {
            Some(container) if belongs_to_container(resource) => (container, Some(&resource.rid)),
            _ => (resource, None),
        };
        Position { group: head.rid.group(), subset: head.subset.as_ref(), head: &head.rid, linked }
    }
}

/// Whether the resource acts together with the container that its `netns` names: an address does. A container that joins
/// the network namespace of another one keeps its own place.
pub(crate) fn belongs_to_container(resource: &ResourceFacts) -> bool {
    resource.rid.group() == Group::Ip && resource.netns.is_some()
}

/// A place in the order of start: by group, then without subset before the subsets by name, then by id, and an address
/// after the container whose network namespace it goes into. The order of the fields is that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position<'a> {
    pub(crate) group: Group,
    pub(crate) subset: Option<&'a SubsetName>,
    head: &'a Rid,
    linked: Option<&'a Rid>,
}

impl Position<'_> {
    pub(crate) fn same_stage(&self, other: &Position<'_>) -> bool {
        (self.group, self.subset) == (other.group, other.subset)
    }
}

/// How far an action goes (`--to`).
pub(crate) enum Until<'a> {
    None,
    Group(Group),
    Position(Position<'a>),
}

impl<'a> Until<'a> {
    pub(crate) fn new(index: &ResourceIndex<'a>, to: Option<&Barrier>) -> Result<Until<'a>, PlanError> {
        Ok(match to {
            None => Until::None,
            Some(Barrier::Group(group)) => Until::Group(*group),
            Some(Barrier::Rid(rid)) => {
                let resource = index.get(rid).ok_or_else(|| PlanError::NoResource(rid.clone()))?;
                Until::Position(index.position(resource))
            }
        })
    }

    /// Whether a position lies beyond the limit. The addresses of the container at the limit belong to it, so they do not.
    pub(crate) fn excludes(&self, position: Position<'_>, direction: Direction) -> bool {
        match (self, direction) {
            (Until::None, _) => false,
            (Until::Group(group), Direction::Up) => position.group > *group,
            (Until::Group(group), Direction::Down) => position.group < *group,
            // `start --to container#1` includes its addresses, which come right behind it.
            (Until::Position(limit), Direction::Up) => {
                position > *limit && !(limit.linked.is_none() && position.head == limit.head)
            }
            // Downwards the addresses come before their container, and so lie within the limit anyway.
            (Until::Position(limit), Direction::Down) => position < *limit,
        }
    }
}

/// The places of the resources that the request is about, in the order of start.
pub(crate) fn members<'a>(
    index: &ResourceIndex<'a>,
    request: &PlanRequest,
) -> Result<Vec<(Position<'a>, usize)>, PlanError> {
    let together = request.selected.as_ref().map(|rids| together(index.resources, rids, request.action));
    let selected = |resource: &ResourceFacts| match &together {
        None => request.action.concerns(resource.rid.group()),
        Some(rids) => rids.contains(&resource.rid),
    };
    let unknown = |rid: &&Rid| index.place(rid).is_none();
    // Looked for by itself: the filter below would silently drop an id that does not exist.
    if let Some(unknown) = request.selected.iter().flatten().find(unknown) {
        return Err(PlanError::NoResource(unknown.clone()));
    }
    let chosen = index.resources.iter().enumerate().filter(|(_, resource)| selected(resource));
    let mut members: Vec<_> = chosen.map(|(place, resource)| (index.position(resource), place)).collect();
    // The stable sort, because it is fast on what is almost in order, as configurations are.
    members.sort_by_key(|(position, _)| *position);
    Ok(members)
}

/// The resources of these ids, and all that come along with them.
fn together(resources: &[ResourceFacts], rids: &BTreeSet<Rid>, action: Action) -> BTreeSet<Rid> {
    let mut all = rids.clone();
    // What comes along may bring others: the addresses of a container that shares the namespace of another.
    loop {
        let along = resources.iter().filter(|resource| !all.contains(&resource.rid));
        let along: Vec<Rid> =
            along.filter(|resource| comes_along(resource, &all, action)).map(|r| r.rid.clone()).collect();
        if along.is_empty() {
            return all;
        }
        all.extend(along);
    }
}

/// Whether a resource comes along: an address with the container that it belongs to, a container with those whose namespaces it
/// shares. A start brings along only those that are left in the namespace that was before.
fn comes_along(resource: &ResourceFacts, rids: &BTreeSet<Rid>, action: Action) -> bool {
    let belongs = belongs_to_container(resource) && resource.netns.as_ref().is_some_and(|name| rids.contains(name));
    let shares = !resource.shares.is_disjoint(rids);
    let is_left = resource.state.is_up() || resource.state == State::Warn;
    let lives_on = match action {
        Action::Stop | Action::Shutdown | Action::Restart | Action::Unprovision => shares,
        Action::Start | Action::StartStandby | Action::Provision => shares && is_left,
        Action::Run | Action::Sync | Action::Migrate => false,
    };
    (belongs || lives_on) && action.concerns(resource.rid.group())
}
