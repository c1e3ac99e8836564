//! Options of a program that a keyword passes on, checked against the grant that allows them.
//!
//! A driver lists the options that it allows, written as in the grant: `--type *` takes a value, `--nosync` takes none. Other
//! options are refused before the program runs. The allowed ones are sorted in the order of the grant, because a grant only
//! covers a command line in its own order.

/// The part of a grant that allows these options: `[--type *] [--nosync]`.
pub fn grant(known: &[&str]) -> String {
    known.iter().map(|option| format!("[{option}]")).collect::<Vec<_>>().join(" ")
}

/// Sorts the words of a keyword in the order of `known`. The error completes the sentence "`options`: …".
pub fn arrange(known: &[&str], words: &[String]) -> Result<Vec<String>, String> {
    let mut found: Vec<(usize, Vec<String>)> = Vec::new();
    let mut words = words.iter();
    while let Some(option) = words.next() {
        // `--type=raid1` is not split: the grant matches whole arguments, and would refuse it.
        let Some(at) = known.iter().position(|known| name_of(known) == option) else {
            return Err(format!("{option:?} is not supported: expected any of {}", known.join(", ")));
        };
        if found.iter().any(|(other, _)| *other == at) {
            return Err(format!("{option} is given twice"));
        }
        let mut pair = vec![option.clone()];
        if known[at] != option {
            pair.push(value_of(option, words.next())?);
        }
        found.push((at, pair));
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().flat_map(|(_, pair)| pair).collect())
}

fn name_of(known: &str) -> &str {
    known.strip_suffix(" *").unwrap_or(known)
}

fn value_of(option: &str, value: Option<&String>) -> Result<String, String> {
    match value {
        None => Err(format!("{option} needs a value")),
        // A value that looks like an option is almost always a forgotten value.
        Some(value) if value.starts_with('-') => Err(format!("{value:?} is an option, not the value of {option}")),
        Some(value) => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["--type *", "--stripes *", "--nosync"];

    #[track_caller]
    fn check(words: &str, expected: Result<&str, &str>) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        match (arrange(&KNOWN, &words), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.join(" "), expected),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => panic!("expected {expected:?}, found {found:?}"),
        }
    }

    #[test]
    fn options_stand_in_the_order_of_the_grant() {
        assert_eq!(grant(&KNOWN), "[--type *] [--stripes *] [--nosync]");
        check("", Ok(""));
        check("--nosync --stripes 2 --type raid1", Ok("--type raid1 --stripes 2 --nosync"));
    }

    #[test]
    fn others_are_refused_with_the_ones_that_may_be_used() {
        check("--config x", Err("\"--config\" is not supported: expected any of --type *, --stripes *, --nosync"));
        check("--config=x", Err("not supported"));
        check("--type=raid1", Err("not supported"));
        check("--type", Err("--type needs a value"));
        check("--type --config", Err("\"--config\" is an option, not the value of --type"));
        check("--nosync --nosync", Err("--nosync is given twice"));
    }
}
