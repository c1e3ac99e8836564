//! The keyword `options`: the flags that the grants list, and patterns.
//!
//! Patterns are not passed as arguments, but through the standard input of rsync (`--exclude-from -`), where they can only be
//! read as patterns.

/// The flags, in the order of the grants. Options that run programs or write to other places are not among them.
const FLAGS: [&str; 7] =
    ["--checksum", "--compress", "--inplace", "--numeric-ids", "--one-file-system", "--sparse", "--whole-file"];

/// The parsed keyword `options`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RsyncOptions {
    /// The flags in the order of the grants, each once.
    pub(crate) flags: Vec<&'static str>,
    /// The patterns in their own order, because the first one that matches a file counts: `- *.log`, `+ /etc`.
    pub(crate) patterns: Vec<String>,
}

impl RsyncOptions {
    /// Reads the words. The error names the wrong word and the reason.
    pub(crate) fn parse(words: &[String]) -> Result<RsyncOptions, String> {
        let mut options = RsyncOptions::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let sign = match name {
                "--exclude" => '-',
                "--include" => '+',
                _ => {
                    let flag = FLAGS.into_iter().find(|flag| *flag == word).ok_or_else(|| unknown(word))?;
                    options.flags.push(flag);
                    continue;
                }
            };
            let pattern = value.or_else(|| words.next()).filter(|pattern| !pattern.is_empty());
            let pattern = pattern.ok_or_else(|| format!("{name} needs a pattern"))?;
            // A line break would start another pattern in rsync's input.
            if pattern.contains(['\n', '\r', '\0']) {
                return Err(format!("{name} {pattern:?}: a pattern is one line"));
            }
            options.patterns.push(format!("{sign} {pattern}"));
        }
        // The grant lists the flags in a fixed order, and covers each once.
        options.flags = FLAGS.into_iter().filter(|flag| options.flags.contains(flag)).collect();
        Ok(options)
    }

    /// The standard input of rsync, if there are patterns.
    pub(crate) fn input(&self) -> Option<String> {
        let lines = |patterns: &[String]| patterns.iter().map(|pattern| format!("{pattern}\n")).collect();
        (!self.patterns.is_empty()).then(|| lines(&self.patterns))
    }
}

fn unknown(word: &str) -> String {
    format!("{word} is not allowed: expected any of {} --exclude=PATTERN --include=PATTERN", FLAGS.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: Result<(&[&str], Option<&str>), &str>) {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        match (RsyncOptions::parse(&words), expected) {
            (Ok(found), Ok((flags, input))) => assert_eq!((&*found.flags, found.input().as_deref()), (flags, input)),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => panic!("expected {expected:?}, found {found:?}"),
        }
    }

    #[test]
    fn flags_come_in_the_order_of_the_grants() {
        check(&[], Ok((&[], None)));
        check(&["--sparse", "--checksum", "--sparse"], Ok((&["--checksum", "--sparse"], None)));
    }

    #[test]
    fn patterns_keep_their_order() {
        let words = ["--include=/a b/", "--exclude", "*.log", "--exclude=-x", "--exclude=#1"];
        check(&words, Ok((&[], Some("+ /a b/\n- *.log\n- -x\n- #1\n"))));
        check(&["--exclude"], Err("--exclude needs a pattern"));
        check(&["--exclude="], Err("--exclude needs a pattern"));
        check(&["--exclude=a\n+ /etc"], Err("a pattern is one line"));
    }

    #[test]
    fn whatever_could_run_programs_or_read_and_write_elsewhere_is_refused() {
        let wrong =
            ["-e", "--rsh=sh", "--rsync-path=/tmp/x", "--write-batch=/etc/passwd", "--files-from=/etc/shadow", "-M-e"];
        for word in wrong {
            check(&[word], Err(&format!("{word} is not allowed")));
        }
    }
}
