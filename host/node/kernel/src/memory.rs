//! The memory of the node.

/// How much there is, in bytes.
pub fn total() -> u64 {
    let found = rustix::system::sysinfo();
    found.totalram.saturating_mul(u64::from(found.mem_unit))
}

/// Gives memory back to the node that the allocator holds for later: after a burst of work, that is a third of what this process has.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "no library offers malloc_trim(3)")]
pub fn give_back() {
    // SAFETY: it takes no pointers, and may be called at any time by any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_what_proc_says() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
        let kilobytes: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        assert_eq!(super::total() / 1024, kilobytes);
    }
}
