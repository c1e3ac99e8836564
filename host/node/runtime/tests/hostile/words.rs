//! The host does not believe a driver's statements if it knows better.

use driver::{Change, Verb};

use crate::guest::{Hostile, silent};
use crate::support::bounds;

#[tokio::test]
async fn the_host_counts_the_changes_itself() {
    let hostile = Hostile::trusted();
    let file = hostile.bench.path("own/file");
    for (words, change) in [
        (&["lie", "changed"][..], Change::Unchanged),
        (&["lie", "unchanged", &file], Change::Changed),
        (&["write", &file, "x"], Change::Changed),
        (&["read", &file], Change::Unchanged),
        // It failed, so it changed nothing.
        (&["read", "/etc/shadow"], Change::Unchanged),
    ] {
        let report = hostile.driver.act(Verb::Start, &hostile.attempt(words), &bounds(), silent()).await;
        assert_eq!(report.change, change, "{words:?}: {report:?}");
    }
}

#[tokio::test]
async fn a_device_that_is_not_its_own_is_not_exposed() {
    let hostile = Hostile::trusted();
    let status = hostile.driver.status(&hostile.attempt(&["expose", "/dev/sda"]), &bounds(), silent()).await;
    assert_eq!(status.exposes, []);
    assert_eq!(status.messages[0].text, "exposes /dev/sda, which is not its own: ignored");
    // Its grants are about its image, so that is its own.
    let image = hostile.bench.path("disk");
    let status = hostile.driver.status(&hostile.attempt(&["expose", &image]), &bounds(), silent()).await;
    assert_eq!(status.exposes, [("device".to_owned(), image)]);
}
