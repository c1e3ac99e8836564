//! The memory cost of many crashes. Alone in its process, so that all resident memory is its own.

#[path = "hostile/guest.rs"]
mod guest;
mod support;

use driver::Verb;
use guest::{Hostile, silent};
use support::bounds;

#[tokio::test]
async fn a_thousand_crashes_leave_nothing_behind() {
    let hostile = Hostile::trusted();
    let call = hostile.attempt(&["panic", "again"]);
    let crash = async |times: u32| {
        for _ in 0..times {
            assert!(hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await.result.is_err());
        }
    };
    crash(100).await;
    let before = resident();
    crash(1000).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 2 << 20, "{grown} bytes more are resident");
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
