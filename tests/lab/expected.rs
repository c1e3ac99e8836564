//! Expected output: lines, where `...` stands for any number of lines, and `[..]` for anything within a line.

/// The reason why an output is not as expected: its first unexpected line, or the first line that is missing.
pub(crate) fn mismatch(expected: &[String], output: &str) -> Option<String> {
    let found: Vec<&str> = output.lines().map(str::trim_end).collect();
    // How many of the lines found the lines so far can stand for.
    let mut reached: Vec<usize> = vec![0];
    for line in expected {
        let next: Vec<usize> = match line.as_str() {
            "..." => (*reached.iter().min()?..=found.len()).collect(),
            line => reached.iter().filter(|&&at| at < found.len() && fits(line, found[at])).map(|at| at + 1).collect(),
        };
        if next.is_empty() {
            return Some(format!("expected, and not found in its place: {line}"));
        }
        reached = next;
    }
    let last = reached.into_iter().max()?;
    (last < found.len()).then(|| format!("printed, and not expected: {}", found[last]))
}

fn fits(expected: &str, found: &str) -> bool {
    let parts: Vec<&str> = expected.split("[..]").collect();
    let [first, middle @ .., last] = &parts[..] else { return expected == found };
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// The matcher itself is tested before its verdicts are trusted.
pub(crate) fn must_work() {
    let check = |expected: &str, output: &str, holds: bool| {
        let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
        assert_eq!(mismatch(&expected, output).is_none(), holds, "{expected:?} of {output:?}");
    };
    check("", "", true);
    check("", "a\n", false);
    check("a", "", false);
    check("a\nb", "a\nb\n", true);
    check("a", "a\nb\n", false);
    check("...", "", true);
    check("...\nb\n...", "a\nb\nc\n", true);
    check("...\nb", "b\na\nb\n", true);
    check("...\nx\n...", "a\nb\n", false);
    check("a [..] c", "a b c\n", true);
    check("a [..] c", "a b d\n", false);
    check("[..]", "anything\n", true);
    check("a[..]a", "a\n", false);
}
