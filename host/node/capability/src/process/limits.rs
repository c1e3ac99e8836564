//! The limits of the programs of a resource: from the words of the configuration to the files of control groups.

use std::path::PathBuf;

use driver::{LogSeverity, ProgramLimits};
use kernel::cgroup::{Cgroup, CgroupSetting, LimitedGroup, SettingError, SettingFile, UnmetSetting};
use model::object::{CpuQuota, GroupLimit, GroupLimits};

use crate::CallContext;

/// Whether this node can hold programs to a limit.
pub fn is_limit_possible(limit: &GroupLimit) -> Result<(), SettingError> {
    setting(limit, 1).is_possible()
}

/// Sets the limits of the group that a program is about to enter. What cannot be set is logged: a service that runs without a limit is
/// better than one that does not run.
pub(super) fn enforce(context: &CallContext, group: Option<&Cgroup>) {
    let levels = levels(context.limits(), group);
    if levels.iter().all(|(_, limits)| limits.is_empty()) {
        return;
    }
    let Some(group) = group else {
        context.say(
            LogSeverity::Warn,
            "no limit of pg_… is in force: this node has no control groups that the agent may use",
        );
        return;
    };
    let processors = kernel::cgroup::processors();
    let limited = |(path, limits): &(PathBuf, &GroupLimits)| LimitedGroup {
        path: path.clone(),
        settings: limits.iter().map(|limit| setting(limit, processors)).collect(),
    };
    let groups: Vec<LimitedGroup> = levels.iter().map(limited).collect();
    for UnmetSetting { group, setting, error } in group.limit(&groups) {
        let limit = levels.get(group).and_then(|(_, limits)| limits.iter().nth(setting));
        let keyword = limit.map_or("a limit", GroupLimit::keyword);
        context.say(LogSeverity::Warn, &format!("{keyword} is not in force: {error}"));
    }
}

/// The groups that have limits, from the outside in.
fn levels<'l>(limits: &'l ProgramLimits, group: Option<&Cgroup>) -> Vec<(PathBuf, &'l GroupLimits)> {
    let ProgramLimits { object, subset, resource } = limits;
    let inside_out = [Some(resource), subset.as_ref().map(|(_, limits)| limits), Some(object)];
    let path = group.map(|group| group.path().to_owned()).unwrap_or_default();
    let directories = path.ancestors().map(PathBuf::from).chain(std::iter::repeat(PathBuf::new()));
    let mut levels: Vec<_> = directories.zip(inside_out.into_iter().flatten()).collect();
    levels.reverse();
    levels
}

const MEMORY: [&str; 2] = ["memory", "memory"];
const CPU: [&str; 2] = ["cpu", "cpu"];
const CPUSET: [&str; 2] = ["cpuset", "cpuset"];
const BLOCK: [&str; 2] = ["blkio", "io"];

/// A limit as the two versions of control groups take it, on a node with so many processors.
fn setting(limit: &GroupLimit, processors: u64) -> CgroupSetting {
    let file = |names: &'static [&'static str], text: String| SettingFile { names, text };
    let (controllers, version1, version2) = match limit {
        GroupLimit::Cpus(list) => {
            (CPUSET, vec![file(&["cpuset.cpus"], list.clone())], vec![file(&["cpuset.cpus"], list.clone())])
        }
        GroupLimit::Mems(list) => {
            (CPUSET, vec![file(&["cpuset.mems"], list.clone())], vec![file(&["cpuset.mems"], list.clone())])
        }
        GroupLimit::CpuShares(shares) => (
            CPU,
            vec![file(&["cpu.shares"], shares.to_string())],
            vec![file(&["cpu.weight"], weight_of_shares(*shares).to_string())],
        ),
        GroupLimit::CpuQuota(quota) => {
            let (period, amount) = (CpuQuota::PERIOD, quota.microseconds(processors));
            let old = amount.map_or("-1".to_owned(), |amount| amount.to_string());
            let new = amount.map_or("max".to_owned(), |amount| amount.to_string());
            let old = vec![file(&["cpu.cfs_period_us"], period.to_string()), file(&["cpu.cfs_quota_us"], old)];
            (CPU, old, vec![file(&["cpu.max"], format!("{new} {period}"))])
        }
        GroupLimit::Memory(size) => (
            MEMORY,
            vec![file(&["memory.limit_in_bytes"], size.to_string())],
            vec![file(&["memory.max"], size.to_string())],
        ),
        GroupLimit::MemoryAndSwap { memory, total } => {
            // The kernel keeps the one below the other at each write.
            let old = vec![
                file(&["memory.memsw.limit_in_bytes"], "-1".to_owned()),
                file(&["memory.limit_in_bytes"], memory.to_string()),
                file(&["memory.memsw.limit_in_bytes"], total.to_string()),
            ];
            let swap = total.saturating_sub(*memory).to_string();
            (MEMORY, old, vec![file(&["memory.max"], memory.to_string()), file(&["memory.swap.max"], swap)])
        }
        // Without a pause, every version does it.
        GroupLimit::OomPause(pause) => {
            (MEMORY, vec![file(&["memory.oom_control"], u8::from(*pause).to_string())], Vec::new())
        }
        GroupLimit::Swappiness(percent) => {
            (MEMORY, vec![file(&["memory.swappiness"], percent.to_string())], Vec::new())
        }
        GroupLimit::BlockWeight(weight) => (
            BLOCK,
            vec![file(&["blkio.weight", "blkio.bfq.weight"], weight.to_string())],
            vec![file(&["io.weight", "io.bfq.weight"], weight_of_block(*weight).to_string())],
        ),
    };
    CgroupSetting { controllers, version1, version2 }
}

/// Version 2 counts from 1 to 10000 where version 1 counts from 2 to 262144.
fn weight_of_shares(shares: u64) -> u64 {
    // As runc 1.1 converts it, so that a container beside it with the same shares gets as much.
    1 + (shares.saturating_sub(2) * 9999) / 262_142
}

/// Version 2 counts from 1 to 10000 where version 1 counts from 10 to 1000.
fn weight_of_block(weight: u64) -> u64 {
    // As runc 1.1 converts it, too.
    1 + (weight.saturating_sub(10) * 9999) / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `file=text` of each version.
    fn check(limit: GroupLimit, version1: &str, version2: &str) {
        let CgroupSetting { version1: old, version2: new, .. } = setting(&limit, 4);
        let text = |files: Vec<SettingFile>| {
            let files = files.iter().map(|file| format!("{}={}", file.names[0], file.text));
            files.collect::<Vec<_>>().join(", ")
        };
        assert_eq!((text(old).as_str(), text(new).as_str()), (version1, version2), "{limit:?}");
    }

    #[test]
    fn limits_are_what_containers_and_opensvc_write() {
        check(GroupLimit::CpuShares(1024), "cpu.shares=1024", "cpu.weight=39");
        check(GroupLimit::CpuShares(2), "cpu.shares=2", "cpu.weight=1");
        check(GroupLimit::CpuShares(262_144), "cpu.shares=262144", "cpu.weight=10000");
        check(GroupLimit::BlockWeight(1000), "blkio.weight=1000", "io.weight=10000");
        check(GroupLimit::BlockWeight(10), "blkio.weight=10", "io.weight=1");
        let quota = GroupLimit::CpuQuota(CpuQuota::parse("50%@all").unwrap());
        check(quota, "cpu.cfs_period_us=100000, cpu.cfs_quota_us=200000", "cpu.max=200000 100000");
        let quota = GroupLimit::CpuQuota(CpuQuota::Unlimited);
        check(quota, "cpu.cfs_period_us=100000, cpu.cfs_quota_us=-1", "cpu.max=max 100000");
        check(
            GroupLimit::MemoryAndSwap { memory: 32, total: 48 },
            "memory.memsw.limit_in_bytes=-1, memory.limit_in_bytes=32, memory.memsw.limit_in_bytes=48",
            "memory.max=32, memory.swap.max=16",
        );
    }

    #[test]
    fn the_limits_of_the_object_are_those_of_the_slice_around() {
        let limit = |size: u64| GroupLimits::of([GroupLimit::Memory(size)]).unwrap();
        let group = Cgroup::at("/s/web.slice/web-subset.slice/web-app.slice");
        let subset = Some(("g1".parse().unwrap(), limit(2)));
        let limits = ProgramLimits { object: limit(3), subset, resource: limit(1) };
        let found = levels(&limits, Some(&group));
        let found: Vec<_> = found.iter().map(|(path, limits)| (path.to_str().unwrap(), (*limits).clone())).collect();
        let expected = [
            ("/s/web.slice", limit(3)),
            ("/s/web.slice/web-subset.slice", limit(2)),
            ("/s/web.slice/web-subset.slice/web-app.slice", limit(1)),
        ];
        assert_eq!(found, expected);
    }
}
