//! The result of a command.

use std::process::Output;

/// The result of a command, with assertions. A failed assertion shows the whole result.
pub(crate) struct Ran {
    line: String,
    /// Its exit code. None if a signal killed it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn new(line: &str, output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let Output { status, stdout, stderr } = output;
        let ran = Ran { line: line.to_owned(), code: status.code(), stdout: text(stdout), stderr: text(stderr) };
        // A failure in every test.
        let hostile = |line: &&str| line.contains("panicked at tests/hostile/");
        assert!(!ran.stderr.lines().any(|line| line.contains("panicked at") && !hostile(&line)), "{ran}");
        ran
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.code == Some(0)
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Ran {
        self.ends(0)
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Killed, or aborted at a failpoint.
    #[track_caller]
    pub(crate) fn dies(self) -> Ran {
        assert_eq!(self.code, None, "{self}");
        self
    }

    /// Prints the text on either stream.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "no {text:?} in\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(self, text: &str) -> Ran {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} in\n{self}");
        self
    }

    /// Prints the text, and nothing else.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Ran {
        assert_eq!(self.stdout, text, "{self}");
        self
    }

    /// The resources in the order in which the log first names them.
    pub(crate) fn rids(&self) -> Vec<String> {
        let mut rids: Vec<String> = Vec::new();
        for word in self.stderr.lines().filter_map(|line| line.split(' ').nth(3)) {
            let Some(rid) = word.strip_suffix(':').filter(|rid| rid.contains('#')) else { continue };
            if !rids.iter().any(|seen| seen == rid) {
                rids.push(rid.to_owned());
            }
        }
        rids
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran { line, code, stdout, stderr } = self;
        write!(f, "$ {line}\n{stdout}{stderr}exit code {code:?}")
    }
}
