//! The parsers accept the examples of docs/grants.md.

use hostler_grant::{GrantRequest, SitePolicy};

const MANUAL: &str = include_str!("../../../../docs/grants.md");

/// The lines between fences, and the text between single backquotes.
fn examples() -> Vec<&'static str> {
    let mut examples = Vec::new();
    let mut fenced = false;
    for line in MANUAL.lines() {
        match line.starts_with("```") {
            true => fenced = !fenced,
            false if fenced => examples.push(line),
            false => examples.extend(line.split('`').skip(1).step_by(2)),
        }
    }
    examples
}

/// Whether it is a line rather than the shape of one: words in capitals and `…` stand for what the reader fills in.
fn is_whole(example: &str) -> bool {
    let shape = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase());
    let mut words = example.split(|c: char| !c.is_alphanumeric());
    !example.contains('…') && !words.any(|word| shape(word) && !["GET", "POST", "LABEL"].contains(&word))
}

#[test]
fn every_example_is_read() {
    let capabilities = ["files", "mount", "block", "net", "netns", "exec", "spawn", "http", "volume"];
    let (mut requests, mut policies) = (0, 0);
    for example in examples().into_iter().filter(|example| is_whole(example)) {
        let first = example.split(['.', ' ', '(']).next().unwrap_or_default();
        if matches!(first, "allow" | "deny") && example.contains(" = ") {
            // Those about a driver may name its keywords.
            assert_eq!(SitePolicy::parse(example).map(drop), Ok(()), "{example}");
            policies += 1;
        } else if capabilities.contains(&first) && example.contains(" = ") {
            assert_eq!(GrantRequest::parse(example).map(drop), Ok(()), "{example}");
            requests += 1;
        }
    }
    assert!(requests >= 5 && policies >= 12, "{requests} requests and {policies} policy lines were found");
}
