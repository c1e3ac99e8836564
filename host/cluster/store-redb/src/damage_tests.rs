//! Damage at every byte of a small store: it is noticed, or it changes nothing. Never an empty store, never a panic.

use store::Timeline;
use store::conformance::RandomWords;

use crate::StoreFileError;
use crate::crash_tests::{ScriptRun, check_timeline, empty_store, run_script};
use crate::fault_disk::FaultDisk;
use crate::file::StoreFile;
use crate::medium::StoreMedium;

/// The header and the two slots of redb: every bit of them is tried.
const HEADER: usize = 320;
const PAGE: usize = 4096;

fn open(content: Vec<u8>) -> Result<Timeline, StoreFileError> {
    let disk = FaultDisk::holding(content);
    StoreFile::open(disk.open()?)?.load()
}

fn store_after_script(close: bool) -> (Vec<u8>, ScriptRun) {
    let disk = FaultDisk::holding(empty_store());
    let run = run_script(&disk, close);
    (disk.content(), run)
}

/// The bits to flip: all of the header, and one of each other byte. Of a page that is not in use, which shows at its first byte,
/// some bytes do.
fn bits(content: &[u8]) -> Vec<(usize, u8)> {
    let mut words = RandomWords::Seed(5);
    let header = (0..HEADER).flat_map(|byte| (0..8).map(move |bit| (byte, 1 << bit)));
    let mut bits: Vec<(usize, u8)> = header.collect();
    for page in (0..content.len()).step_by(PAGE) {
        let step = if page == 0 || open(flipped(content, page, 1)).is_err() { 1 } else { 61 };
        let bytes = (page.max(HEADER)..content.len().min(page + PAGE)).step_by(step);
        bits.extend(bytes.map(|byte| (byte, 1 << words.below(8))));
    }
    bits
}

fn flipped(content: &[u8], byte: usize, bit: u8) -> Vec<u8> {
    let mut damaged = content.to_vec();
    damaged[byte] ^= bit;
    damaged
}

fn check_flips(content: &[u8], run: &ScriptRun) {
    let whole = open(content.to_vec()).unwrap();
    check_timeline(&whole, &run.model);
    assert_eq!(whole.revision(), run.acknowledged);
    let mut noticed = 0;
    for (byte, bit) in bits(content) {
        match open(flipped(content, byte, bit)) {
            Err(error) => {
                assert!(error.damage().is_some(), "byte {byte}, bit {bit}: {error:?}");
                noticed += 1;
            }
            Ok(timeline) => assert_eq!(timeline, whole, "byte {byte}, bit {bit}"),
        }
    }
    assert!(noticed > 1000, "{noticed} flips were noticed, as if most of the file were not used");
}

#[test]
fn flipped_bit_of_a_closed_store_is_noticed_or_harmless() {
    let (content, run) = store_after_script(true);
    check_flips(&content, &run);
}

#[test]
fn flipped_bit_of_a_store_after_a_crash_is_noticed_or_harmless() {
    let (content, run) = store_after_script(false);
    check_flips(&content, &run);
}

#[test]
fn file_that_was_cut_short_is_noticed() {
    let (content, _) = store_after_script(true);
    let whole = open(content.clone()).unwrap();
    for length in (0..content.len()).step_by(61) {
        let error = open(content[..length].to_vec()).expect_err("a file that was cut short");
        assert!(error.damage().is_some(), "{length} bytes: {error:?}");
        let mut zeroed = content.clone();
        zeroed[length..].fill(0);
        match open(zeroed) {
            Err(error) => assert!(error.damage().is_some(), "zeros from {length}: {error:?}"),
            Ok(timeline) => assert_eq!(timeline, whole, "zeros from {length}"),
        }
    }
}

#[test]
fn file_of_something_else_is_noticed() {
    for content in [vec![0; 100_000], b"a text".to_vec(), vec![0xff; 4096]] {
        let error = open(content).expect_err("a file of something else");
        assert!(error.damage().is_some(), "{error:?}");
    }
}
