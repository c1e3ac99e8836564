//! Goes through all worlds, breadth first, so that what is found is as short as can be.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use super::bounds::WorldBounds;
use super::world::World;

/// What a search found.
#[derive(Debug)]
pub(super) struct SearchReport {
    pub(super) states: usize,
    /// Whether there was nothing more to look at.
    pub(super) exhausted: bool,
    /// What must not be, and how it came about.
    pub(super) violation: Option<String>,
}

/// How a world was reached: from which one, and by which of its steps.
type Origin = (u32, u16);

/// Looks at up to so many worlds.
pub(super) fn search(bounds: &WorldBounds, limit: usize) -> SearchReport {
    let mut start = World::start(bounds);
    start.canonize(bounds);
    // Digests, and for each world how it was reached: millions of worlds would not fit into memory.
    let mut seen = HashSet::from([digest(&start)]);
    let mut origins: Vec<Origin> = vec![(0, 0)];
    let mut open = VecDeque::from([(0_u32, start)]);
    while let Some((number, world)) = open.pop_front() {
        for (choice, step) in (0_u16..).zip(world.steps(bounds)) {
            if let Some(what) = step.violation {
                let trace = trace(bounds, &origins, (number, choice), what);
                return SearchReport { states: origins.len(), exhausted: false, violation: Some(trace) };
            }
            if seen.insert(digest(&step.world)) {
                open.push_back((u32::try_from(origins.len()).unwrap_or(u32::MAX), step.world));
                origins.push((number, choice));
            }
        }
        if origins.len() >= limit {
            return SearchReport { states: origins.len(), exhausted: open.is_empty(), violation: None };
        }
    }
    SearchReport { states: origins.len(), exhausted: true, violation: None }
}

/// A digest that is wide enough for two worlds not to share one.
pub(super) fn digest(value: &impl Hash) -> u128 {
    let mut digest = WideDigest(0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f);
    value.hash(&mut digest);
    u128::from(digest.0) << 64 | u128::from(digest.1)
}

/// Two multiplicative hashes side by side: quick, and the worlds are not made by an enemy.
struct WideDigest(u64, u64);

impl WideDigest {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.0 ^= self.0 >> 32;
        self.1 = (self.1.rotate_left(23) ^ word).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        self.1 ^= self.1 >> 29;
    }
}

impl Hasher for WideDigest {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.1
    }
}

/// The steps that led there, found by taking them again.
fn trace(bounds: &WorldBounds, origins: &[Origin], (mut number, choice): Origin, what: &str) -> String {
    let mut choices = vec![choice];
    while number != 0 {
        let (from, choice) = origins[number as usize];
        choices.push(choice);
        number = from;
    }
    let mut text = format!("{what}:\n");
    let mut world = World::start(bounds);
    world.canonize(bounds);
    for choice in choices.iter().rev() {
        let step = world.steps(bounds).into_iter().nth(usize::from(*choice)).expect("the step was there before");
        let _ = writeln!(text, "  {} n{}", step.what, step.of);
        world = step.world;
    }
    text
}
