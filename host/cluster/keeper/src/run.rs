//! The process, from its start to its end.
//!
//! It is run by the program before that has set up anything: `om daemon keeper DIRECTORY`. At its start it may allocate and fail,
//! and says why. From the rehearsal on it does neither.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use deadline::{CutItem, GuardPage, HALF, KeeperReport, PAGE_FILE, PageView, SlotGuard, SlotToken, TWIN};
use kernel::{clock, resident};
use rustix::fs::FlockOperation;

use crate::cut::{self, CutTable};
use crate::guard::Guard;
use crate::wake::{WakeSources, Wish};
use crate::{LOCK_FILE, REPORT_FILE, TwinFile, process};

/// Why a keeper does not start.
#[derive(Debug, thiserror::Error)]
pub enum KeeperFault {
    /// Another keeper guards this directory.
    #[error("a keeper runs already{}", pid.map(|pid| format!(": process {pid}")).unwrap_or_default())]
    Running { pid: Option<u32> },
    #[error("cannot {doing}: {source}")]
    Start { doing: &'static str, source: io::Error },
}

fn failed<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> KeeperFault {
    move |error| KeeperFault::Start { doing, source: error.into() }
}

/// Guards what the page in this directory says, until a signal ends it.
pub fn run(directory: &Path) -> Result<(), KeeperFault> {
    std::fs::create_dir_all(directory).map_err(failed("make its directory"))?;
    // First: of two keepers, one would go on petting the watchdog that the other one lets run out.
    let lock = take_lock(directory)?;
    // It belongs to no terminal, and keeps no directory busy. It leads no session if it was started as the leader of one.
    let _ = rustix::process::setsid();
    std::env::set_current_dir("/").map_err(failed("leave this directory"))?;
    let path = directory.join(PAGE_FILE);
    let page = TwinFile::open(&path).map_err(failed("open its page"))?;
    let report = TwinFile::open(&directory.join(REPORT_FILE)).map_err(failed("open its report"))?;
    // Before the first look, so that a page that is written in between wakes it.
    let sources = WakeSources::new(&path).map_err(failed("watch its page"))?;
    let own = KeeperReport {
        pid: std::process::id(),
        build: process::build(),
        began: clock::boot(),
        ..KeeperReport::default()
    };
    settle(&page, &report);
    let mut guard = Guard::new(page, report, own);
    stay(&mut guard);
    loop {
        let next = guard.look();
        match sources.wait(next) {
            Some(Wish::HandOver) => break,
            Some(Wish::End) if guard.may_end() => break,
            _ => {}
        }
    }
    drop(lock);
    Ok(())
}

fn take_lock(directory: &Path) -> Result<File, KeeperFault> {
    let path = directory.join(LOCK_FILE);
    let mut lock = process::open_lock(&path).map_err(failed("open its lock"))?;
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => Err(KeeperFault::Running { pid: process::pid_in(&path) }),
        locked => {
            locked.map_err(failed("take its lock"))?;
            let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
            written.map_err(failed("write its lock"))?;
            Ok(lock)
        }
    }
}

/// Where the kernel refuses, as in a container, the keeper works all the same.
fn settle(page: &TwinFile, report: &TwinFile) {
    let _ = resident::set_unkillable_by_shortage();
    let _ = resident::set_realtime();
    let _ = resident::pin_file(page, (0, TWIN));
    // Without cuts it is short.
    let _ = resident::pin_file(report, (0, 4096)).and(resident::pin_file(report, (HALF, 4096)));
}

/// Keeps in memory what a cut needs: what the start needed is dropped, and a cut of nothing shows what is left.
fn stay(guard: &mut Guard) {
    for buffer in guard.buffers() {
        let _ = resident::lock_buffer(buffer);
    }
    let _ = resident::drop_code();
    // For real: what is due already is cut before anything is rehearsed.
    guard.look();
    rehearse();
    let _ = resident::lock_resident();
}

/// Cuts a slot that holds one thing of each kind, none of which there is.
fn rehearse() {
    let nowhere = "/proc/self/nothing".to_owned();
    let address = |address: std::net::IpAddr| CutItem::Address { netns: None, index: u32::MAX, address, prefix: 32 };
    let items = vec![
        CutItem::Group(nowhere.clone()),
        address(std::net::Ipv4Addr::LOCALHOST.into()),
        address(std::net::Ipv6Addr::LOCALHOST.into()),
        CutItem::Mount { id: u64::MAX, device: (7, 1 << 19), target: nowhere.clone(), owns_filesystem: true },
        CutItem::Loop { device: nowhere, backing: ((0, 0), 0) },
    ];
    let slot = SlotGuard { object: "rehearsal".to_owned(), token: SlotToken::default(), until: clock::boot(), items };
    let page = GuardPage { slots: vec![slot], ..GuardPage::default() };
    let mut body = vec![0; HALF];
    if let Some(page) = page.write(&mut body).and_then(|length| PageView::parse(&body[..length])) {
        cut::cut(page, &mut CutTable::new(), |_| {});
    }
}

/// The size and the time of a file, which tell two builds of the program apart.
pub(crate) fn build_of(program: &Path) -> io::Result<u64> {
    let seen = std::fs::metadata(program)?;
    Ok(seen.size()
        ^ seen.mtime().unsigned_abs().rotate_left(20)
        ^ u64::from(seen.mtime_nsec().unsigned_abs() as u32).rotate_left(40))
}
