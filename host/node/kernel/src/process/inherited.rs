//! What a child inherits without a word: priority, processors, resource limits, and how soon the kernel kills it for memory. A service
//! must not depend on who started it, an operator under nice(1) or the daemon with its own limits, so all of that is reset.

use std::io;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::CpuSet;

use super::exec;

/// The priority, the processors and the limits of a program that nothing has been asked for.
pub(super) struct InheritedState {
    limits: [(Resource, Rlimit); 16],
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

impl InheritedState {
    /// The limits that the kernel and systemd give to a service.
    pub(super) fn defaults() -> InheritedState {
        let both = |value: u64| limit(Some(value), Some(value));
        let unlimited = limit(None, None);
        let limits = [
            (Resource::As, unlimited),
            (Resource::Core, limit(Some(0), None)),
            (Resource::Cpu, unlimited),
            (Resource::Data, unlimited),
            (Resource::Fsize, unlimited),
            (Resource::Locks, unlimited),
            (Resource::Memlock, both(8 * MIB)),
            (Resource::Msgqueue, both(800 * KIB)),
            (Resource::Nice, both(0)),
            (Resource::Nofile, limit(Some(KIB), Some(512 * KIB))),
            (Resource::Nproc, both(half_of_all_threads())),
            (Resource::Rss, unlimited),
            (Resource::Rtprio, both(0)),
            (Resource::Rttime, unlimited),
            (Resource::Sigpending, both(half_of_all_threads())),
            (Resource::Stack, limit(Some(8 * MIB), None)),
        ];
        InheritedState { limits }
    }

    /// Gives these to the calling process, as far as it may raise them. System calls only, see `child.rs`.
    pub(super) fn reset(&self) -> io::Result<()> {
        exec::reset_priority();
        let mut processors = CpuSet::new();
        for processor in 0..CpuSet::MAX_CPU {
            processors.set(processor);
        }
        // The kernel takes those that exist and that the control group allows.
        let _ = rustix::thread::sched_setaffinity(None, &processors);
        let _ = reset_oom_score();
        self.limits.iter().try_for_each(|(resource, wanted)| match setrlimit(*resource, *wanted) {
            // Only root may raise a hard limit, and not above what the kernel has room for.
            Err(Errno::PERM) => Ok(setrlimit(*resource, within(*wanted, getrlimit(*resource)))?),
            other => Ok(other?),
        })
    }
}

fn reset_oom_score() -> rustix::io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let file = rustix::fs::open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, b"0").map(drop)
}

fn limit(current: Option<u64>, maximum: Option<u64>) -> Rlimit {
    Rlimit { current, maximum }
}

/// The wanted limit, as far as the hard limit of today allows.
fn within(wanted: Rlimit, today: Rlimit) -> Rlimit {
    let least = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let maximum = least(wanted.maximum, today.maximum);
    Rlimit { current: least(wanted.current, maximum), maximum }
}

/// What the kernel gives to its first process.
fn half_of_all_threads() -> u64 {
    static HALF: OnceLock<u64> = OnceLock::new();
    *HALF.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/threads-max").unwrap_or_default();
        text.trim().parse::<u64>().map_or(16 * KIB, |threads| threads / 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_may_not_be_raised_stays_below_that_of_today() {
        let check = |wanted, today, expected| assert_eq!(within(wanted, today), expected);
        check(limit(Some(1024), Some(4096)), limit(Some(10), Some(2048)), limit(Some(1024), Some(2048)));
        check(limit(None, None), limit(Some(10), Some(20)), limit(Some(20), Some(20)));
        check(limit(Some(5), None), limit(Some(10), Some(20)), limit(Some(5), Some(20)));
        check(limit(Some(5), Some(6)), limit(None, None), limit(Some(5), Some(6)));
    }
}
