//! The order that paths ask for: what makes a place comes before what lies in it, such as a file system before one that is
//! mounted below it.
//!
//! Only within a stage, whose order is otherwise that of the ids: groups and subsets are an order that the operator chose. It is
//! an order and no requirement: an optional file system that fails keeps nothing else from starting.

use std::collections::HashMap;
use std::path::Path;

use super::draft::StepDraft;
use super::requires::DraftLink;
use super::select::Direction;
use crate::EdgeKind;

/// The edges between what makes a place and what lies in it, without those that would go against `links`.
pub(crate) fn place_links(drafts: &[StepDraft<'_>], links: &[DraftLink], direction: Direction) -> Vec<DraftLink> {
    let mut makers: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.acts()) {
        if let Some(place) = &draft.resource.place {
            makers.entry(place).or_default().push(at);
        }
    }
    let mut made: Vec<DraftLink> = Vec::new();
    if makers.is_empty() {
        return made;
    }
    for (inner, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.acts()) {
        for outer in around(draft).filter_map(|place| makers.get(place)).flatten().copied() {
            let (before, after) = if direction == Direction::Up { (outer, inner) } else { (inner, outer) };
            let same_stage = drafts[outer].position.same_stage(&draft.position);
            // What was asked for in so many words counts more, and a circle would be an error.
            if outer != inner && same_stage && !leads(after, before, &[links, made.as_slice()]) {
                made.push(DraftLink { before, after, kind: EdgeKind::Follows });
            }
        }
    }
    made
}

/// The places that a draft's paths lie in. The place that it makes itself lies in those above it only: two file systems may be
/// mounted on one directory.
fn around<'d>(draft: &StepDraft<'d>) -> impl Iterator<Item = &'d Path> + use<'d> {
    let resource = draft.resource;
    let own = resource.place.as_deref();
    let used = resource.paths.iter().map(std::path::PathBuf::as_path).filter(move |path| Some(*path) != own);
    used.flat_map(Path::ancestors).chain(own.into_iter().flat_map(|path| path.ancestors().skip(1)))
}

/// Whether `to` comes after `from` already.
fn leads(from: usize, to: usize, links: &[&[DraftLink]]) -> bool {
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(&here) = reached.get(next) {
        if here == to {
            return true;
        }
        for link in links.iter().copied().flatten().filter(|link| link.before == here) {
            if !reached.contains(&link.after) {
                reached.push(link.after);
            }
        }
        next += 1;
    }
    false
}
