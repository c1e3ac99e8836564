//! Attempts that no driver in a memory-safe language would make: arguments of imports that point anywhere.

use hostler_sdk::prelude::Result;

#[cfg(target_arch = "wasm32")]
pub(crate) fn attempt(verb: &str, rest: &[&str]) -> Option<Result<String>> {
    match (verb, rest) {
        ("litter", []) => litter(),
        ("rummage", []) => {}
        _ => return imports(verb, rest),
    }
    Some(Ok(rummage().to_string()))
}

#[cfg(target_arch = "wasm32")]
fn imports(verb: &str, rest: &[&str]) -> Option<Result<String>> {
    let (address, length) = match (verb, rest) {
        // 2³¹ bytes, far more than there are.
        ("abi-long", []) => (0, 1 << 31),
        // One byte past the end of all memory.
        ("abi-far", []) => (usize::MAX, 1),
        _ => return None,
    };
    raw_log(address, length);
    Some(Ok("logged".to_owned()))
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn attempt(_: &str, _: &[&str]) -> Option<Result<String>> {
    None
}

/// What is left behind, in memory that was there and in memory that is asked for.
#[cfg(target_arch = "wasm32")]
const LITTER: u8 = 0xa5;
#[cfg(target_arch = "wasm32")]
const LITTERED: usize = 1 << 20;

#[cfg(target_arch = "wasm32")]
fn litter() {
    std::hint::black_box(vec![LITTER; LITTERED]).leak();
}

/// Counts what the call before left, also in memory that this one has not asked for yet.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "what others have left is in no value of one's own")]
fn rummage() -> usize {
    core::arch::wasm32::memory_grow::<0>(64);
    let end = core::arch::wasm32::memory_size::<0>() << 16;
    // SAFETY: all of it is memory of this component, and nothing else runs.
    (1..end).filter(|&address| unsafe { std::ptr::read_volatile(address as *const u8) } == LITTER).count()
}

/// `log` with a level and a text at the same place, wherever that is.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "a text that is not there cannot be made in safe Rust")]
fn raw_log(address: usize, length: usize) {
    #[link(wasm_import_module = "hostler:driver/log@0.1.0")]
    unsafe extern "C" {
        #[link_name = "log"]
        fn log(level: usize, level_length: usize, text: usize, text_length: usize);
    }
    // SAFETY: the host only reads, and must check what it is told.
    unsafe { log(address, length, address, length) }
}
