//! The watchdog: opened when the page asks for it, petted while all that is held is in its time or proven gone, closed when nothing
//! is held any more and the page does not ask for it.

use std::time::Duration;

use deadline::{NoWayOut, PageView, WatchdogState, may_pet};
use kernel::watchdog::WatchdogDevice;
use rustix::io::Errno;

use crate::cut::CutTable;

/// How often a device that could not be had is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The watchdog of this keeper.
#[derive(Debug, Default)]
pub(crate) struct Dog {
    device: Option<WatchdogDevice>,
    /// Why it could not be had, and when it is tried again.
    fault: Option<(Errno, Duration)>,
    petted: Duration,
}

impl Dog {
    /// Opens it, pets it or closes it, as it is due.
    pub(crate) fn tend(&mut self, page: Option<PageView<'_>>, cuts: &CutTable, now: Duration) {
        match page.map(|page| page.watchdog) {
            Some(Some((path, timeout))) => self.open(path, timeout, now),
            // Where the page is not whole, the dog keeps the device as it is: the daemon has not said that it holds nothing.
            Some(None) if page.is_none_or(|page| page.slots().next().is_none()) => self.close(),
            _ => {}
        }
        let may = may_be_petted(page, cuts, now, self.timeout());
        if let Some(device) = self.device.as_ref().filter(|_| may && now >= self.petted + self.period()) {
            self.petted = now;
            // One that fails is not repeated at once: the next one is due within a quarter of the timeout.
            let _ = device.pet();
        }
    }

    fn open(&mut self, path: &std::ffi::CStr, timeout: u32, now: Duration) {
        if self.device.is_some() || self.fault.is_some_and(|(_, again)| now < again) {
            return;
        }
        match WatchdogDevice::open(path, timeout) {
            // Its time begins with the opening.
            Ok(device) => (self.device, self.fault, self.petted) = (Some(device), None, now),
            Err(errno) => self.fault = Some((errno, now + RETRY)),
        }
    }

    /// Stops it. One that cannot be stopped resets the node.
    pub(crate) fn close(&mut self) {
        if let Some(device) = self.device.take() {
            let _ = device.close();
        }
        self.fault = None;
    }

    /// When it is due again.
    pub(crate) fn next(&self) -> Option<Duration> {
        match (&self.device, self.fault) {
            (Some(_), _) => Some(self.petted + self.period()),
            (None, Some((_, again))) => Some(again),
            (None, None) => None,
        }
    }

    pub(crate) fn state(&self) -> WatchdogState {
        match (&self.device, self.fault) {
            (Some(_), _) => WatchdogState::Armed,
            (None, Some(_)) => WatchdogState::Missing,
            (None, None) => WatchdogState::Off,
        }
    }

    pub(crate) fn timeout(&self) -> u32 {
        self.device.as_ref().map_or(0, WatchdogDevice::timeout)
    }

    pub(crate) fn nowayout(&self) -> NoWayOut {
        match self.device.as_ref().and_then(WatchdogDevice::is_unstoppable) {
            None => NoWayOut::Unknown,
            Some(true) => NoWayOut::Set,
            Some(false) => NoWayOut::Clear,
        }
    }

    /// Its name, or why it cannot be had.
    pub(crate) fn name(&self) -> &str {
        match (&self.device, self.fault) {
            (Some(device), _) => device.identity(),
            (None, Some((Errno::NOENT | Errno::NXIO | Errno::NODEV, _))) => "there is no such device",
            (None, Some((Errno::BUSY, _))) => "another process has it",
            (None, Some((Errno::RANGE, _))) => "its shortest timeout is too long",
            (None, Some((Errno::NOTTY | Errno::INVAL, _))) => "it is not a watchdog",
            (None, Some(_)) => "it cannot be opened",
            (None, None) => "",
        }
    }

    fn period(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout())) / 4
    }
}

/// Whether the node may live for another timeout of the watchdog.
fn may_be_petted(page: Option<PageView<'_>>, cuts: &CutTable, now: Duration, timeout: u32) -> bool {
    let timeout = Duration::from_secs(u64::from(timeout));
    let in_time = |page: PageView<'_>| {
        page.slots().all(|slot| !slot.has_deadline() || cuts.is_proven(&slot) || may_pet(now, timeout, slot.until))
    };
    !cuts.has_failed() && page.is_none_or(in_time)
}
