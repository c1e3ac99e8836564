//! The memory of the host that a denied call keeps. A test of its own process, which nothing else makes larger.

#[path = "hostile/guest.rs"]
mod guest;
#[path = "support/mod.rs"]
mod support;

use guest::Hostile;

/// At most so many bytes of the host's memory remain for each denied call.
const FOR_EACH: usize = 1024;

/// The size of a page.
const PAGE: usize = 4096;

/// The memory of this process.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * PAGE
}

#[tokio::test]
async fn a_denied_call_keeps_next_to_nothing_whatever_it_asks() {
    let hostile = Hostile::limited("limit cpu 60s");
    for words in [&["denials", "20000"][..], &["long-denials", "10000", "3000"], &["long-denials", "5000", "100000"]] {
        // The first calls fill what is kept for all.
        hostile.start(&[words, &[]].concat()).await.unwrap();
        let calls: usize = words[1].parse().unwrap();
        let before = resident();
        hostile.start(words).await.unwrap();
        let kept = resident().saturating_sub(before);
        assert!(kept < calls * FOR_EACH, "{words:?}: {kept} bytes");
    }
}
