//! Which nodes an object's affinities allow, and which they prefer. Both polarities of both strengths are one table.

use model::{NodeName, ObjectPath};

use crate::case::ObjectCase;
use crate::{AffinityRules, NodeStanding, Reason};

/// Whether the object wants to be with the other one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polarity {
    Together,
    Apart,
}

impl AffinityRules {
    fn hard_table(&self) -> impl Iterator<Item = (Polarity, &ObjectPath)> {
        table(&self.hard, &self.hard_anti)
    }

    fn soft_table(&self) -> impl Iterator<Item = (Polarity, &ObjectPath)> {
        table(&self.soft, &self.soft_anti)
    }
}

fn table<'a>(with: &'a [ObjectPath], without: &'a [ObjectPath]) -> impl Iterator<Item = (Polarity, &'a ObjectPath)> {
    let row = |polarity| move |path| (polarity, path);
    with.iter().map(row(Polarity::Together)).chain(without.iter().map(row(Polarity::Apart)))
}

/// The hard affinity that forbids a node.
pub(crate) fn forbidden(case: &ObjectCase<'_>, node: &NodeName) -> Option<Reason> {
    let mut broken = case.rules.affinity.hard_table().filter(|(polarity, other)| !holds(case, *polarity, other, node));
    broken.next().map(|(_, with)| Reason::Affinity { with: with.clone() })
}

/// How many soft affinities a node would break.
pub(crate) fn disliked(case: &ObjectCase<'_>, node: &NodeName) -> usize {
    case.rules.affinity.soft_table().filter(|(polarity, other)| !holds(case, *polarity, other, node)).count()
}

fn holds(case: &ObjectCase<'_>, polarity: Polarity, other: &ObjectPath, node: &NodeName) -> bool {
    runs_on(case, other, node) == (polarity == Polarity::Together)
}

fn runs_on(case: &ObjectCase<'_>, other: &ObjectPath, node: &NodeName) -> bool {
    let object = case.view.objects().get(other);
    let instance = object.and_then(|object| object.instances.get(node));
    // What ran in a life that has ended runs nowhere, whatever was said of it last.
    let dead = matches!(case.standing(node), NodeStanding::Evicted | NodeStanding::Absent);
    instance.is_some_and(|instance| instance.may_run()) && !dead
}
