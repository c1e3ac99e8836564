//! What this process uses of the machine, for `om mon --stats`.

use std::time::Instant;

use protocol::daemon::DaemonUse;
use rustix::time::{ClockId, clock_gettime};

/// What this process uses, of which the API began at that time.
pub(crate) fn now(began: Instant) -> DaemonUse {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu_seconds = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    let file = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    // /proc/self/io needs a right that a container may lack: what cannot be read counts as none.
    let (status, io) = (file("status"), file("io"));
    DaemonUse {
        pid: std::process::id(),
        threads: u32::try_from(number(&status, "Threads:")).unwrap_or(u32::MAX),
        cpu_percent: 100.0 * cpu_seconds / began.elapsed().as_secs_f64().max(0.001),
        cpu_seconds,
        rss_bytes: number(&status, "VmRSS:") * 1024,
        read_bytes: number(&io, "read_bytes:"),
        written_bytes: number(&io, "write_bytes:"),
    }
}

/// The number behind a name at the start of a line.
fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_something() {
        let usage = now(Instant::now());
        assert!(usage.threads >= 1 && usage.rss_bytes > 100_000 && usage.cpu_seconds > 0.0, "{usage:?}");
        assert_eq!(number("Name:\tx\nVmRSS:\t  12 kB\n", "VmRSS:"), 12);
    }
}
