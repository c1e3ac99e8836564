//! Attacks that try to exhaust the host: its time, memory and disk.

use std::hint::black_box;

use hostler_sdk::prelude::*;

#[expect(clippy::print_stdout, reason = "the very attempt")]
pub(crate) fn attempt(verb: &str, rest: &[&str]) -> Option<Result<String>> {
    Some(Ok(match (verb, rest) {
        ("panic", [text]) => panic!("{text}"),
        ("loop", []) => spin(),
        ("sleep", []) => sleep(),
        ("recurse", []) => black_box(recurse(0)).to_string(),
        ("memory", []) => hoard(),
        ("print", [lines]) => {
            (0..number(lines)).for_each(|line| println!("{line}: {}", "x".repeat(100)));
            "printed".to_owned()
        }
        ("log", [lines]) => {
            (0..number(lines)).for_each(|line| log::info(format!("{line}: {}", "x".repeat(100))));
            "logged".to_owned()
        }
        ("long-list", [length]) => return Some(long_list(number(length))),
        _ => return None,
    }))
}

fn spin() -> String {
    let mut rounds: u64 = 0;
    loop {
        rounds = black_box(rounds.wrapping_add(1));
    }
}

/// Repeats a call, whatever the host returns.
fn sleep() -> String {
    loop {
        let _ = clock::sleep(Duration::from_secs(3600));
    }
}

#[expect(unconditional_recursion, reason = "the very attempt")]
fn recurse(depth: u64) -> u64 {
    let here = black_box([depth; 32]);
    black_box(recurse(depth + 1)) + here[0]
}

fn hoard() -> String {
    let mut hoarded: Vec<Vec<u8>> = Vec::new();
    loop {
        hoarded.push(black_box(vec![1; 1 << 20]));
    }
}

/// Many small values, which cost the host more than the driver.
fn long_list(length: usize) -> Result<String> {
    Command::new("/bin/echo").args(std::iter::repeat_n("", length)).run()?;
    Ok("ran".to_owned())
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or(0)
}
