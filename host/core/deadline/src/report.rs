//! What the keeper says of itself, and of its cuts.

use std::ffi::CStr;
use std::fmt;
use std::time::Duration;

use crate::SlotToken;
use crate::bytes::{ByteReader, ByteWriter};

/// How the watchdog is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WatchdogState {
    /// It is not wanted, or was closed after a proven stop.
    #[default]
    Off,
    /// It runs, and resets the node unless the keeper pets it.
    Armed,
    /// It cannot be had.
    Missing,
}

/// Whether a watchdog that was opened can be stopped at all, see `nowayout` of the kernel's watchdog API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NoWayOut {
    #[default]
    Unknown,
    Set,
    Clear,
}

/// What became of a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutOutcome {
    /// The keeper has looked: nothing is left.
    Proven,
    /// Something is left. The keeper goes on trying, and does not pet the watchdog meanwhile.
    Failed,
}

/// The cut of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutRecord {
    pub object: String,
    pub token: SlotToken,
    /// When it began, and how long it took.
    pub at: Duration,
    pub took: Duration,
    pub outcome: CutOutcome,
    /// What is left, in words.
    pub left: String,
}

/// The report of a keeper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeeperReport {
    pub pid: u32,
    /// Identifies the program that it runs: two builds differ.
    pub build: u64,
    /// When it began, and when it wrote this.
    pub began: Duration,
    pub looked: Duration,
    /// The sequence of the page that it believes.
    pub page: u64,
    pub watchdog: WatchdogState,
    /// In seconds, as the device has taken it.
    pub timeout: u32,
    pub nowayout: NoWayOut,
    /// The name that the device gives itself, or why it cannot be had.
    pub device: String,
    pub cuts: Vec<CutRecord>,
}

/// Writes a report into a buffer, without a heap.
pub struct ReportWriter<'b> {
    to: ByteWriter<'b>,
    count_at: usize,
    count: u32,
}

impl<'b> ReportWriter<'b> {
    /// Writes all but the cuts, which `report` need not have.
    pub fn new(buffer: &'b mut [u8], report: &KeeperReport, device: &str) -> ReportWriter<'b> {
        let mut to = ByteWriter::new(buffer);
        to.u32(report.pid);
        to.u64(report.build);
        to.u64(nanos(report.began));
        to.u64(nanos(report.looked));
        to.u64(report.page);
        to.u8(match report.watchdog {
            WatchdogState::Off => 0,
            WatchdogState::Armed => 1,
            WatchdogState::Missing => 2,
        });
        to.u32(report.timeout);
        to.u8(match report.nowayout {
            NoWayOut::Unknown => 0,
            NoWayOut::Set => 1,
            NoWayOut::Clear => 2,
        });
        to.text(device);
        let count_at = to.position();
        // How many cuts follow is known at the end, when some may not have fit.
        to.u32(0);
        ReportWriter { to, count_at, count: 0 }
    }

    /// Adds a cut. One that does not fit is left out.
    pub fn cut(
        &mut self,
        object: &CStr,
        token: SlotToken,
        (at, took): (Duration, Duration),
        left: Option<&dyn fmt::Display>,
    ) {
        let before = self.to.position();
        self.to.text(object.to_str().unwrap_or_default());
        self.to.u64(token.generation);
        self.to.u64(token.revision);
        self.to.u64(nanos(at));
        self.to.u64(nanos(took));
        match left {
            Some(left) => self.to.format(format_args!("{left}")),
            None => self.to.text(""),
        }
        match self.to.is_full() {
            // The head and the other cuts are worth more than a report that cannot be read.
            true => self.to.rewind(before),
            false => self.count += 1,
        }
    }

    /// How much was written. None: not even the head fits.
    pub fn finish(mut self) -> Option<usize> {
        self.to.patch(self.count_at, self.count);
        self.to.finish()
    }
}

impl KeeperReport {
    /// Reads a report. None: it is not one.
    pub fn parse(body: &[u8]) -> Option<KeeperReport> {
        let mut from = ByteReader::new(body);
        let mut report = read_head(&mut from)?;
        for _ in 0..from.u32()? {
            report.cuts.push(read_cut(&mut from)?);
        }
        from.is_empty().then_some(report)
    }
}

/// Reads all but the cuts. The fields are read in the order in which they stand here.
fn read_head(from: &mut ByteReader<'_>) -> Option<KeeperReport> {
    Some(KeeperReport {
        pid: from.u32()?,
        build: from.u64()?,
        began: time(from)?,
        looked: time(from)?,
        page: from.u64()?,
        watchdog: match from.u8()? {
            0 => WatchdogState::Off,
            1 => WatchdogState::Armed,
            2 => WatchdogState::Missing,
            _ => return None,
        },
        timeout: from.u32()?,
        nowayout: match from.u8()? {
            0 => NoWayOut::Unknown,
            1 => NoWayOut::Set,
            2 => NoWayOut::Clear,
            _ => return None,
        },
        device: text(from)?,
        cuts: Vec::new(),
    })
}

fn read_cut(from: &mut ByteReader<'_>) -> Option<CutRecord> {
    let object = text(from)?;
    let token = SlotToken { generation: from.u64()?, revision: from.u64()? };
    let (at, took, left) = (time(from)?, time(from)?, text(from)?);
    // `cut` writes no text where nothing is left, and what is left always has one.
    let outcome = if left.is_empty() { CutOutcome::Proven } else { CutOutcome::Failed };
    Some(CutRecord { object, token, at, took, outcome, left })
}

fn time(from: &mut ByteReader<'_>) -> Option<Duration> {
    from.u64().map(Duration::from_nanos)
}

fn text(from: &mut ByteReader<'_>) -> Option<String> {
    Some(from.text()?.to_string_lossy().into_owned())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    #[test]
    fn what_the_keeper_writes_the_daemon_reads() {
        let token = SlotToken { generation: 1, revision: 42 };
        let cut = |object: &str, left: &str, outcome| CutRecord {
            object: object.to_owned(),
            token,
            at: Duration::from_secs(9),
            took: Duration::from_millis(12),
            outcome,
            left: left.to_owned(),
        };
        let report = KeeperReport {
            pid: 17,
            build: 4,
            began: Duration::from_secs(1),
            looked: Duration::from_secs(10),
            page: 33,
            watchdog: WatchdogState::Armed,
            timeout: 3,
            nowayout: NoWayOut::Clear,
            device: "Software Watchdog".to_owned(),
            cuts: vec![cut("web", "", CutOutcome::Proven), cut("db", "a mount", CutOutcome::Failed)],
        };
        let mut buffer = [0; 400];
        let mut writer = ReportWriter::new(&mut buffer, &report, &report.device);
        for cut in &report.cuts {
            let left = Some(&cut.left).filter(|left| !left.is_empty()).map(|left| left as &dyn fmt::Display);
            writer.cut(&CString::new(cut.object.as_str()).unwrap(), cut.token, (cut.at, cut.took), left);
        }
        // Not all of it fits: what is there stays whole.
        let long = CString::new("x".repeat(300)).unwrap();
        writer.cut(&long, token, (Duration::ZERO, Duration::ZERO), Some(&"a mount"));
        let used = writer.finish().unwrap();
        assert_eq!(KeeperReport::parse(&buffer[..used]), Some(report));
        for end in 0..used {
            assert_eq!(KeeperReport::parse(&buffer[..end]), None, "{end}");
        }
    }
}
