//! The name that the program was called by: `om`, or `svcmgr` and `nodemgr` as OpenSVC called its programs.

/// The name that the program was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgramName {
    /// `om`, or a link that is named after a service.
    Om,
    /// OpenSVC's program for objects.
    Svcmgr,
    /// OpenSVC's program for the node.
    Nodemgr,
}

impl ProgramName {
    pub(crate) fn of(argv: &[String]) -> ProgramName {
        match argv.first().and_then(|program| program.rsplit('/').next()) {
            Some("svcmgr") => ProgramName::Svcmgr,
            Some("nodemgr") => ProgramName::Nodemgr,
            _ => ProgramName::Om,
        }
    }

    /// A usage of `om`, in the terms of the program that was called.
    pub(crate) fn name_in(self, usage: &str) -> String {
        match self {
            ProgramName::Om => usage.to_owned(),
            // Only usages are replaced. The examples in help texts are commands of om, which can be typed as they are.
            ProgramName::Svcmgr => usage.replace("om <SELECTOR>", "svcmgr -s <SELECTOR>"),
            ProgramName::Nodemgr => usage.replace("om node", "nodemgr"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_names_the_program_that_was_called() {
        let check = |program: &str, usage: &str, expected: &str| {
            assert_eq!(ProgramName::of(&[program.to_owned()]).name_in(usage), expected);
        };
        check("/usr/bin/svcmgr", "Usage: om <SELECTOR> start [OPTIONS]", "Usage: svcmgr -s <SELECTOR> start [OPTIONS]");
        check("nodemgr", "Usage: om node set [OPTIONS]", "Usage: nodemgr set [OPTIONS]");
        check("om", "Usage: om node set [OPTIONS]", "Usage: om node set [OPTIONS]");
    }
}
