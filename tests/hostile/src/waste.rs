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
        ("long-path", [length]) => {
            return Some(
                files::exists("/".to_owned() + &"x".repeat(number(length)))
                    .map_err(Error::from)
                    .map(|found| found.to_string()),
            );
        }
        ("long-text", [length]) => {
            return Some(
                Command::new("/bin/echo")
                    .arg("x".repeat(number(length)))
                    .run()
                    .map_err(Error::from)
                    .map(|_| "ran".to_owned()),
            );
        }
        ("headers", [count, socket]) => return Some(headers(number(count), socket)),
        ("denials", [count]) => {
            (0..number(count)).filter(|file| files::stat(format!("/etc/{file}")).is_err()).count().to_string()
        }
        ("long-denials", [count, length]) => {
            let name = "x".repeat(number(length));
            (0..number(count)).filter(|file| files::stat(format!("/etc/{name}{file}")).is_err()).count().to_string()
        }
        ("screen", []) => SCREEN.to_owned(),
        _ => return None,
    }))
}

/// Clears the screen, names the window, fills the clipboard, and turns the direction of reading.
const SCREEN: &str = "all \u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]52;c;cm0gLXJmIC8=\u{1b}\\\u{9b}31m\u{202e}\r is well";

fn headers(count: usize, socket: &str) -> Result<String> {
    let request = http::HttpRequest::unix("GET", socket, "/info");
    let request = (0..count).fold(request, |request, number| request.header(&format!("x-{number}"), "y"));
    Ok(request.send()?.text())
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
