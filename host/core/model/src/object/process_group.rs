//! The limits of what an object, a subset or a resource runs: the keywords `pg_*`, whose words and numbers are those of OpenSVC.

/// One limit of a control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupLimit {
    /// The processors that the processes may run on, such as `0-2`.
    Cpus(String),
    /// The memory nodes that they may use.
    Mems(String),
    /// Their weight when processors are scarce. 1024 is usual.
    CpuShares(u64),
    /// How much processor time they may use.
    CpuQuota(CpuQuota),
    /// How much memory they may use, in bytes.
    Memory(u64),
    /// The same, and how much memory and swap together.
    MemoryAndSwap { memory: u64, total: u64 },
    /// Whether processes are paused rather than killed when memory is exhausted.
    OomPause(bool),
    /// How readily their memory is swapped, from 0 to 100.
    Swappiness(u64),
    /// Their weight when disks are busy, from 10 to 1000.
    BlockWeight(u64),
}

/// An amount of processor time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuQuota {
    Unlimited,
    /// Microseconds in each period of 100 ms.
    Microseconds(u64),
    /// A part of this many processors. None stands for all of the node.
    Percent {
        percent: u64,
        processors: Option<u64>,
    },
}

/// The limits of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupLimits(Vec<GroupLimit>);

impl GroupLimit {
    /// Reads the value of a keyword, without its `pg_`. The error says what was expected.
    pub fn parse(name: &str, text: &str) -> Result<GroupLimit, &'static str> {
        let text = text.trim();
        let number = || text.parse::<u64>().ok();
        let within = |least: u64, most: u64| number().filter(|number| (least..=most).contains(number));
        let list = || list_of_numbers(text).then(|| text.to_owned());
        match name {
            "cpus" => list().map(GroupLimit::Cpus).ok_or("expected processors such as 0-2 or 0,2"),
            "mems" => list().map(GroupLimit::Mems).ok_or("expected memory nodes such as 0 or 0-1"),
            "cpu_shares" => within(2, 262_144).map(GroupLimit::CpuShares).ok_or("expected a number from 2 to 262144"),
            "cpu_quota" => CpuQuota::parse(text).map(GroupLimit::CpuQuota),
            "mem_limit" => number().filter(|size| *size > 0).map(GroupLimit::Memory).ok_or("expected a size above 0"),
            "vmem_limit" => number()
                .filter(|size| *size > 0)
                .map(|total| GroupLimit::MemoryAndSwap { memory: total, total })
                .ok_or("expected a size above 0"),
            "mem_oom_control" => within(0, 1).map(|pause| GroupLimit::OomPause(pause == 1)).ok_or("expected 0 or 1"),
            "mem_swappiness" => within(0, 100).map(GroupLimit::Swappiness).ok_or("expected a number from 0 to 100"),
            "blkio_weight" => within(10, 1000).map(GroupLimit::BlockWeight).ok_or("expected a number from 10 to 1000"),
            _ => Err("there is no such limit"),
        }
    }

    /// The keyword that sets it.
    pub fn keyword(&self) -> &'static str {
        match self {
            GroupLimit::Cpus(_) => "pg_cpus",
            GroupLimit::Mems(_) => "pg_mems",
            GroupLimit::CpuShares(_) => "pg_cpu_shares",
            GroupLimit::CpuQuota(_) => "pg_cpu_quota",
            GroupLimit::Memory(_) => "pg_mem_limit",
            GroupLimit::MemoryAndSwap { .. } => "pg_vmem_limit",
            GroupLimit::OomPause(_) => "pg_mem_oom_control",
            GroupLimit::Swappiness(_) => "pg_mem_swappiness",
            GroupLimit::BlockWeight(_) => "pg_blkio_weight",
        }
    }
}

impl GroupLimits {
    /// Puts the limits of one group together. The error is about the memory with swap, which cannot be less than that without.
    pub fn of(limits: impl IntoIterator<Item = GroupLimit>) -> Result<GroupLimits, &'static str> {
        // Not to pause is what every group does.
        let mut limits: Vec<GroupLimit> =
            limits.into_iter().filter(|limit| *limit != GroupLimit::OomPause(false)).collect();
        let memory = limits.iter().find_map(|limit| match limit {
            GroupLimit::Memory(memory) => Some(*memory),
            _ => None,
        });
        let swap = limits.iter_mut().find(|limit| matches!(limit, GroupLimit::MemoryAndSwap { .. }));
        if let (Some(least), Some(GroupLimit::MemoryAndSwap { memory, total })) = (memory, swap) {
            if *total < least {
                return Err("expected at least the value of pg_mem_limit, which it includes");
            }
            *memory = least;
            limits.retain(|limit| !matches!(limit, GroupLimit::Memory(_)));
        }
        Ok(GroupLimits(limits))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &GroupLimit> {
        self.0.iter()
    }
}

impl CpuQuota {
    /// The period that quotas are counted in, in microseconds.
    pub const PERIOD: u64 = 100_000;
    /// The kernel takes no less.
    const LEAST: u64 = 1000;

    /// Reads `50%`, `50%@2`, `50%@all`, `30 %@2`, a number of microseconds, or `-1`.
    pub fn parse(text: &str) -> Result<CpuQuota, &'static str> {
        const EXPECTED: &str = "expected a part of processors such as 50%@all or 50%@2, microseconds in 100 ms, or -1";
        let (amount, processors) = text.split_once('@').map_or((text, "1"), |(amount, count)| (amount, count.trim()));
        let processors = match processors {
            "all" => None,
            count => Some(count.parse().ok().filter(|count| *count > 0).ok_or(EXPECTED)?),
        };
        let amount = amount.trim();
        if let Some(percent) = amount.strip_suffix('%') {
            let percent = percent.trim().parse().ok().filter(|percent| *percent > 0).ok_or(EXPECTED)?;
            return Ok(CpuQuota::Percent { percent, processors });
        }
        match amount {
            "-1" => Ok(CpuQuota::Unlimited),
            number => {
                let number = number.parse().ok().filter(|number| *number >= CpuQuota::LEAST);
                number.map(CpuQuota::Microseconds).ok_or(EXPECTED)
            }
        }
    }

    /// The microseconds in each period on a node with so many processors. None: no limit.
    pub fn microseconds(self, processors_of_node: u64) -> Option<u64> {
        match self {
            CpuQuota::Unlimited => None,
            CpuQuota::Microseconds(amount) => Some(amount),
            CpuQuota::Percent { percent, processors } => {
                let processors = processors.unwrap_or(processors_of_node).min(processors_of_node);
                let amount = CpuQuota::PERIOD.saturating_mul(processors).saturating_mul(percent) / 100;
                Some(amount.max(CpuQuota::LEAST))
            }
        }
    }
}

/// Numbers and ranges with commas between them, as the kernel lists processors.
fn list_of_numbers(text: &str) -> bool {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    !text.is_empty()
        && text.split(',').all(|part| match part.split_once('-') {
            Some((first, last)) => matches!((number(first), number(last)), (Some(first), Some(last)) if first <= last),
            None => number(part).is_some(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_those_of_opensvc() {
        let check = |text: &str, processors: u64, expected: Option<u64>| {
            assert_eq!(CpuQuota::parse(text).unwrap().microseconds(processors), expected, "{text}");
        };
        check("50%", 4, Some(50_000));
        check("50%@all", 4, Some(200_000));
        check("50%@2", 4, Some(100_000));
        check("30 %@2", 4, Some(60_000));
        check("100%@8", 4, Some(400_000));
        check("150%@1", 4, Some(150_000));
        check("20000", 4, Some(20_000));
        check("-1", 4, None);
        check("1%", 1, Some(1000));
        for wrong in ["", "%", "50%@", "50%@0", "50%@some", "-2", "x", "0", "0%", "10"] {
            assert!(CpuQuota::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let check = |name: &str, text: &str, expected: bool| {
            assert_eq!(GroupLimit::parse(name, text).is_ok(), expected, "{name} = {text}");
        };
        for (name, text) in [("cpus", "0-2,5"), ("mems", "0"), ("cpu_shares", "512"), ("blkio_weight", "50")] {
            check(name, text, true);
        }
        for (name, text) in [
            ("cpus", "2-0"),
            ("cpus", "all"),
            ("cpu_shares", "1"),
            ("blkio_weight", "5"),
            ("mem_swappiness", "101"),
            ("mem_oom_control", "2"),
            ("mem_limit", "0"),
        ] {
            check(name, text, false);
        }
    }

    #[test]
    fn memory_with_swap_includes_memory() {
        let of = |memory: u64, total: u64| {
            GroupLimits::of([GroupLimit::Memory(memory), GroupLimit::MemoryAndSwap { memory: total, total }])
        };
        assert_eq!(of(5, 7).unwrap().0, [GroupLimit::MemoryAndSwap { memory: 5, total: 7 }]);
        assert!(of(7, 5).is_err());
        let alone = GroupLimits::of([GroupLimit::MemoryAndSwap { memory: 7, total: 7 }]).unwrap();
        assert_eq!(alone.0.len(), 1);
    }
}
