//! How the node is: its load and its memory, as `om mon` shows them and placement counts them.

use protocol::daemon::NodeStats;

/// The node as it is now. What the kernel does not report is zero.
pub(crate) fn stats() -> NodeStats {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    stats_of(&load, &memory)
}

/// The load average of the last minute, in hundredths.
pub(crate) fn load() -> u32 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let one_minute: f64 = text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    (one_minute * 100.0) as u32
}

/// Reads proc_loadavg(5) and proc_meminfo(5).
fn stats_of(load: &str, memory: &str) -> NodeStats {
    let load_15m: f64 = load.split_whitespace().nth(2).and_then(|word| word.parse().ok()).unwrap_or(0.0);
    let kilobytes = |name: &str| -> u64 {
        let line = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    let percent = |part: u64, whole: u64| (part * 100).checked_div(whole).unwrap_or(0);
    let (total, available) = (kilobytes("MemTotal"), kilobytes("MemAvailable"));
    let (swap, free_swap) = (kilobytes("SwapTotal"), kilobytes("SwapFree"));
    let (mem_avail, swap_avail) = (percent(available, total), percent(free_swap, swap));
    // OpenSVC's score: the less load and the more memory, the better.
    let score = 100 / (load_15m.max(1.0) as u32) + 100 + mem_avail as u32 + swap_avail as u32;
    NodeStats {
        load_15m,
        mem_total_mb: total / 1024,
        mem_avail,
        swap_total_mb: swap / 1024,
        swap_avail,
        score: score / 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_figures_become_percents_and_megabytes() {
        let memory =
            "MemTotal:       2048000 kB\nMemFree: 1 kB\nMemAvailable:   1024000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
        let stats = stats_of("0.10 0.20 0.64 1/100 4242\n", memory);
        assert_eq!((stats.load_15m, stats.mem_total_mb, stats.mem_avail), (0.64, 2000, 50));
        assert_eq!((stats.swap_total_mb, stats.swap_avail), (0, 0));
        assert_eq!(stats_of("", ""), NodeStats { score: 28, ..NodeStats::default() });
    }
}
