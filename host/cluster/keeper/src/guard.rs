//! One look of the keeper: at the page, at the clock, at the watchdog; and what it reports.

use std::time::Duration;

use deadline::{CutEffect, HALF, KeeperReport, PageView, ReportWriter, hard_deadline};
use kernel::{bare, clock};

use crate::TwinFile;
use crate::cut::{self, CutTable};
use crate::dog::Dog;

/// How often a cut that has failed is tried again.
const CUT_AGAIN: Duration = Duration::from_millis(250);

/// The state of a keeper. All of its memory is there when it begins.
pub(crate) struct Guard {
    page: TwinFile,
    report: TwinFile,
    /// The body of the last page that was whole, and its length.
    believed: Vec<u8>,
    length: Option<usize>,
    scratch: Vec<u8>,
    cuts: CutTable,
    dog: Dog,
    /// What does not change of the report.
    own: KeeperReport,
    sequence: u64,
}

impl Guard {
    pub(crate) fn new(page: TwinFile, report: TwinFile, own: KeeperReport) -> Guard {
        let buffer = || vec![0; HALF];
        let (cuts, dog) = (CutTable::new(), Dog::default());
        Guard { page, report, believed: buffer(), length: None, scratch: buffer(), cuts, dog, own, sequence: 0 }
    }

    /// The buffers, to be locked in memory.
    pub(crate) fn buffers(&mut self) -> [&mut [u8]; 2] {
        [&mut self.believed, &mut self.scratch]
    }

    /// Does what is due. Returns when the next look is.
    pub(crate) fn look(&mut self) -> Option<Duration> {
        self.read_page();
        let body = self.length.and_then(|length| self.believed.get(..length));
        let page = body.and_then(PageView::parse);
        if let Some(page) = page {
            self.cuts.keep(page);
            if page.slots().any(|slot| cut::is_due(&slot, &self.cuts, clock::boot())) {
                end_or_cut(page, &mut self.cuts, &mut self.dog);
            }
        }
        // Read again: a cut may have taken its time, and the watchdog is petted by what is true now.
        let now = clock::boot();
        self.dog.tend(page, &self.cuts, now);
        let next = next_look(page, &self.cuts, now);
        let dog = self.dog.next();
        self.write_report();
        next.into_iter().chain(dog).min()
    }

    /// Takes the page over if it is whole. Otherwise the last one goes on to count.
    fn read_page(&mut self) {
        let Some((sequence, body)) = self.page.read(&mut self.scratch) else { return };
        // Whole, but not a page of this version: the last one goes on to count.
        if PageView::parse(body).is_none() {
            return;
        }
        self.believed[..body.len()].copy_from_slice(body);
        (self.length, self.sequence) = (Some(body.len()), sequence);
    }

    fn write_report(&mut self) {
        let Guard { report, scratch, cuts, dog, own, believed, length, sequence, .. } = self;
        let page = length.and_then(|length| PageView::parse(believed.get(..length)?));
        own.looked = clock::boot();
        (own.page, own.watchdog, own.timeout, own.nowayout) = (*sequence, dog.state(), dog.timeout(), dog.nowayout());
        // What cannot be written now is written at the next look; until then the daemon takes the keeper for
        // silent.
        let _ = report.write(scratch, |into| {
            let mut writer = ReportWriter::new(into, own, dog.name());
            for slot in page.iter().flat_map(PageView::slots) {
                let Some(cut) = cuts.of(&slot) else { continue };
                let left = cut.left.and_then(|at| slot.items().nth(at));
                let left = left.as_ref().map(|left| left as &dyn std::fmt::Display);
                writer.cut(slot.object, slot.token, (cut.began, cut.took), left);
            }
            writer.finish()
        });
    }

    /// Whether nothing is held: then the keeper may end, and the watchdog is closed.
    pub(crate) fn may_end(&mut self) -> bool {
        self.read_page();
        let page = self.length.and_then(|length| PageView::parse(self.believed.get(..length)?));
        // It looks itself, as the watchdog is closed only after a stop that was proven.
        let free = page.is_none_or(|page| page.slots().all(|slot| cut::first_left(&slot).is_none()));
        if free {
            self.dog.close();
        }
        free
    }
}

/// The cut, or the end of the node, as the page says.
fn end_or_cut(page: PageView<'_>, cuts: &mut CutTable, dog: &mut Dog) {
    if page.on_cut == CutEffect::Crash {
        // It does not return. If the kernel refuses, the cut is what is left.
        let _ = bare::reset_node();
    }
    cut::cut(page, cuts, |cuts| dog.tend(Some(page), cuts, clock::boot()));
    if page.on_cut == CutEffect::Reboot {
        let _ = bare::restart_node();
    }
}

fn next_look(page: Option<PageView<'_>>, cuts: &CutTable, now: Duration) -> Option<Duration> {
    let slots = page.as_ref().into_iter().flat_map(PageView::slots);
    let next =
        slots.filter(|slot| slot.has_deadline() && !cuts.is_proven(slot)).map(|slot| hard_deadline(slot.until)).min();
    // What has failed is due all the time.
    next.map(|next| if next <= now { now + CUT_AGAIN } else { next })
}
