//! Until when this node may run what it holds a slot for, and the two documents by which the daemon and the keeper say so to each
//! other.
//!
//! ```text
//!  beat acknowledged ──extend──▶ DeadlineTable ──▶ GuardPage ──twin──▶ file ──▶ keeper: cuts at the hard deadline
//!                                                                        ▲
//!  daemon, at its start and after ◀── KeeperReport ◀──twin── file ◀──────┘
//! ```
//!
//! Pure: all times are durations since the boot (CLOCK_BOOTTIME) that the caller read. What the keeper uses of this crate
//! allocates nothing: it reads borrowed bytes, and writes into a buffer that it has.

mod bytes;
mod item;
mod page;
mod report;
mod table;
mod timing;
mod twin;

pub use item::{CutItem, ItemEntry, NamespaceEntry};
pub use page::{
    CutEffect, GuardPage, MAX_SLOTS, NO_DEADLINE, PAGE_FILE, PageView, SlotEntry, SlotGuard, SlotToken, WatchdogUse,
};
pub use report::{CutOutcome, CutRecord, KeeperReport, NoWayOut, ReportWriter, WatchdogState};
pub use table::{DeadlineTable, ExtensionRefusal, SlotDeadline};
pub use timing::{
    ADDRESS_MARGIN, CUT_BUDGET, CUT_TIME, address_lifetime, address_limit, hard_deadline, may_pet, watchdog_timeout,
};
pub use twin::{HALF, TWIN, frame, newest};
