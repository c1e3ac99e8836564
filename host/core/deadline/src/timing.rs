//! The times that follow from a deadline. `until` is the moment when another node may take over: the time at which the beat was
//! sent that gave the deadline, and T.

use std::time::Duration;

/// So long before `until` the cut begins: the hard deadline.
pub const CUT_BUDGET: Duration = Duration::from_millis(1500);

/// So long may a cut take until it has failed. The rest of the budget covers the rates of two clocks, and the kernel's delay.
pub const CUT_TIME: Duration = Duration::from_millis(900);

/// The kernel removes an address up to 0.32 s after the end of its lifetime.
pub const ADDRESS_MARGIN: Duration = Duration::from_millis(350);

/// When what runs is cut.
pub fn hard_deadline(until: Duration) -> Duration {
    until.saturating_sub(CUT_BUDGET)
}

/// The latest moment for the end of an address's lifetime.
pub fn address_limit(until: Duration) -> Duration {
    until.saturating_sub(ADDRESS_MARGIN)
}

/// The lifetime that an address gets now, in the whole seconds that the kernel counts in. None: so little is left that it must not
/// be given or refreshed any more.
pub fn address_lifetime(until: Duration, now: Duration) -> Option<u32> {
    let left = address_limit(until).saturating_sub(now).as_secs();
    u32::try_from(left).ok().filter(|seconds| *seconds >= 1)
}

/// The timeout of the watchdog, in seconds, where a beat is good for `validity`. Half of it, so that a beat may come late without
/// a gap in the petting.
pub fn watchdog_timeout(validity: Duration) -> u32 {
    u32::try_from(validity.as_secs() / 2).unwrap_or(u32::MAX).max(1)
}

/// Whether the watchdog may be petted: it would then reset the node `timeout` later, which must not be after `until`.
pub fn may_pet(now: Duration, timeout: Duration, until: Duration) -> bool {
    now.saturating_add(timeout) <= until
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn an_address_lives_for_whole_seconds_and_never_past_its_limit() {
        let check = |until, now, expected| assert_eq!(address_lifetime(ms(until), ms(now)), expected, "{until} {now}");
        // T = 6 s, and an acknowledgement within 0.65 s.
        check(106_000, 100_000, Some(5));
        check(106_000, 100_649, Some(5));
        check(106_000, 100_651, Some(4));
        check(106_000, 104_650, Some(1));
        check(106_000, 104_651, None);
        check(106_000, 200_000, None);
    }

    #[test]
    fn the_watchdog_ends_the_node_before_another_one_may_take_over() {
        assert_eq!(watchdog_timeout(ms(6000)), 3);
        assert_eq!(watchdog_timeout(ms(3000)), 1);
        assert_eq!(watchdog_timeout(ms(500)), 1);
        assert!(may_pet(ms(103_000), ms(3000), ms(106_000)));
        assert!(!may_pet(ms(103_001), ms(3000), ms(106_000)));
        assert!(may_pet(ms(103_001), ms(3000), Duration::MAX));
    }
}
