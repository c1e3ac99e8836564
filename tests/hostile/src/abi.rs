//! Attacks that no driver in a memory-safe language would make: arguments of imports with invalid pointers.

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
        // 2³¹ bytes, far more than the memory has.
        ("abi-long", []) => (0, 1 << 31),
        // One byte past the end of the memory.
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

/// Leaves marks in existing memory and in newly allocated memory.
#[cfg(target_arch = "wasm32")]
const LITTER: u8 = 0xa5;
#[cfg(target_arch = "wasm32")]
const LITTERED: usize = 1 << 20;

#[cfg(target_arch = "wasm32")]
fn litter() {
    std::hint::black_box(vec![LITTER; LITTERED]).leak();
}

/// Counts the marks of the previous call, also in memory that this call has not allocated yet.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "what others have left is in no value of one's own")]
fn rummage() -> usize {
    core::arch::wasm32::memory_grow::<0>(64);
    let end = core::arch::wasm32::memory_size::<0>() << 16;
    // SAFETY: the range is within the memory of this component, and there are no other threads.
    (1..end).filter(|&address| unsafe { std::ptr::read_volatile(address as *const u8) } == LITTER).count()
}

/// Calls `log` with a level and a text at the same address, which may be invalid.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "a text that is not there cannot be made in safe Rust")]
fn raw_log(address: usize, length: usize) {
    #[link(wasm_import_module = "hostler:driver/log@0.1.0")]
    unsafe extern "C" {
        #[link_name = "log"]
        fn log(level: usize, level_length: usize, text: usize, text_length: usize);
    }
    // SAFETY: the host only reads from the addresses, and must check them.
    unsafe { log(address, length, address, length) }
}
