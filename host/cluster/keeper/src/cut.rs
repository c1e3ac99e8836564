//! The cut: what a slot holds is removed, and then looked for.
//!
//! All processes of all slots that are due are killed first, then the addresses go, then the mounts, then the loop devices. None of
//! it is asked twice whether it may. A slot counts as cut when each of its things was looked for and is gone.

use std::ffi::CStr;
use std::time::Duration;

use deadline::{
    CUT_TIME, CutOutcome, CutRecord, GuardPage, HALF, ItemEntry, MAX_SLOTS, PageView, SlotEntry, SlotToken,
    hard_deadline,
};
use kernel::bare::{self, AddressPlace, BareMount};
use kernel::clock;
use rustix::io::Errno;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// What became of the cut of a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotCut {
    slot: u64,
    token: SlotToken,
    pub(crate) began: Duration,
    pub(crate) took: Duration,
    /// Which of its items is left. None: nothing.
    pub(crate) left: Option<usize>,
}

/// The cuts of the slots that are in the page. Its memory is reserved at the start.
#[derive(Debug)]
pub(crate) struct CutTable(Vec<SlotCut>);

impl CutTable {
    pub(crate) fn new() -> CutTable {
        CutTable(Vec::with_capacity(MAX_SLOTS))
    }

    /// The cut of a slot, if it was cut.
    pub(crate) fn of(&self, slot: &SlotEntry<'_>) -> Option<&SlotCut> {
        let key = key(slot.object);
        self.0.iter().find(|cut| (cut.slot, cut.token) == (key, slot.token))
    }

    /// Whether nothing of a slot is left after its cut.
    pub(crate) fn is_proven(&self, slot: &SlotEntry<'_>) -> bool {
        self.of(slot).is_some_and(|cut| cut.left.is_none())
    }

    /// Whether something of a slot is left, for longer than a cut may take.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.iter().any(|cut| cut.left.is_some() && cut.took >= CUT_TIME)
    }

    /// Forgets the slots that the daemon has taken out of the page.
    pub(crate) fn keep(&mut self, page: PageView<'_>) {
        self.0.retain(|cut| page.slots().any(|slot| (key(slot.object), slot.token) == (cut.slot, cut.token)));
    }

    fn note(&mut self, slot: &SlotEntry<'_>, began: Duration, now: Duration, left: Option<usize>) {
        let (slot, token) = (key(slot.object), slot.token);
        let took = now.saturating_sub(began);
        match self.0.iter().position(|cut| (cut.slot, cut.token) == (slot, token)) {
            Some(at) => (self.0[at].left, self.0[at].took) = (left, now.saturating_sub(self.0[at].began)),
            None if self.0.len() < MAX_SLOTS => self.0.push(SlotCut { slot, token, began, took, left }),
            None => {}
        }
    }
}

/// Whether the slot must be cut, or its cut is not over.
pub(crate) fn is_due(slot: &SlotEntry<'_>, cuts: &CutTable, now: Duration) -> bool {
    slot.has_deadline() && now >= hard_deadline(slot.until) && !cuts.is_proven(slot)
}

/// Cuts what is due. What has failed before is tried again once; of what is due for the first time, the end is waited for, with
/// `meanwhile` done at each pause.
pub(crate) fn cut(page: PageView<'_>, cuts: &mut CutTable, mut meanwhile: impl FnMut(&CutTable)) {
    let began = clock::boot();
    let is_new = page.slots().any(|slot| is_due(&slot, cuts, began) && cuts.of(&slot).is_none());
    // What has failed before does not hold up the next look: that comes after CUT_AGAIN.
    let limit = if is_new { began + CUT_TIME } else { began };
    loop {
        // Kind by kind over all slots: no process is left that could write, or make anew what was removed, before
        // the first mount goes.
        for remove in [remove_processes, remove_address, remove_mount, remove_loop] {
            for slot in page.slots().filter(|slot| is_due(slot, cuts, began)) {
                slot.items().for_each(|item| remove(&item));
            }
        }
        let mut all = true;
        for slot in page.slots() {
            if is_due(&slot, cuts, began) {
                let left = first_left(&slot);
                all &= left.is_none();
                cuts.note(&slot, began, clock::boot(), left);
            }
        }
        if all || clock::boot() >= limit {
            return;
        }
        meanwhile(cuts);
        std::thread::sleep(PAUSE);
    }
}

/// Cuts, in this process, what is due in a page, where there is no keeper. It blocks for as long as a cut may take.
pub fn cut_here(page: &GuardPage) -> Vec<CutRecord> {
    let mut body = vec![0; HALF];
    let page = page.write(&mut body).and_then(|length| PageView::parse(&body[..length]));
    let mut cuts = CutTable::new();
    page.iter().for_each(|page| cut(*page, &mut cuts, |_| {}));
    let record = |slot: SlotEntry<'_>| {
        let SlotCut { token, began, took, left, .. } = *cuts.of(&slot)?;
        Some(CutRecord {
            object: slot.object.to_string_lossy().into_owned(),
            token,
            at: began,
            took,
            outcome: if left.is_none() { CutOutcome::Proven } else { CutOutcome::Failed },
            left: left.and_then(|at| slot.items().nth(at)).map(|left| left.to_string()).unwrap_or_default(),
        })
    };
    page.iter().flat_map(PageView::slots).filter_map(record).collect()
}

/// The first thing of a slot that is there, or cannot be looked at.
pub(crate) fn first_left(slot: &SlotEntry<'_>) -> Option<usize> {
    // What cannot be looked at counts as there: a cut is proven or has failed.
    slot.items().position(|item| is_there(&item).unwrap_or(true))
}

fn is_there(item: &ItemEntry<'_>) -> Result<bool, Errno> {
    match *item {
        ItemEntry::Group(group) => bare::is_group_empty(group).map(|empty| !empty),
        // The kernel says whether it had it: if so, it is gone now, and was there.
        ItemEntry::Address { .. } => bare::remove_address(address_of(item).ok_or(Errno::INVAL)?),
        ItemEntry::Mount { id, device, target, owns_filesystem } => {
            let is_of_device = owns_filesystem && device.0 != 0;
            Ok(bare::is_mounted(BareMount { id, device, target })? || is_of_device && bare::is_in_use(device)?)
        }
        ItemEntry::Loop { device, backing } => bare::is_loop_attached(device, backing),
    }
}

// What fails is found by the look that follows.

fn remove_processes(item: &ItemEntry<'_>) {
    if let ItemEntry::Group(group) = *item {
        let _ = bare::kill_group(group);
    }
}

fn remove_address(item: &ItemEntry<'_>) {
    if let Some(place) = address_of(item) {
        let _ = bare::remove_address(place);
    }
}

fn remove_mount(item: &ItemEntry<'_>) {
    if let ItemEntry::Mount { id, device, target, .. } = *item {
        let _ = bare::detach_mount(BareMount { id, device, target });
    }
}

fn remove_loop(item: &ItemEntry<'_>) {
    if let ItemEntry::Loop { device, backing } = *item {
        let _ = bare::release_loop(device, backing);
    }
}

fn address_of<'a>(item: &ItemEntry<'a>) -> Option<AddressPlace<'a>> {
    match *item {
        ItemEntry::Address { netns, index, address, prefix } => {
            let netns = netns.map(|netns| (netns.path, (netns.device, netns.inode)));
            Some(AddressPlace { netns, index, address, prefix })
        }
        _ => None,
    }
}

/// A number for a text, the same each time: FNV-1a.
fn key(object: &CStr) -> u64 {
    object
        .to_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |key, byte| (key ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
