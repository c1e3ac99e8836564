//! The keyword `retcodes`: a table from exit statuses to states.

use hostler_sdk::{Error, Result, RunReport, State};

/// A table from exit statuses to states: `0:up 1:down`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetcodeTable(Vec<(i32, State)>);

impl RetcodeTable {
    /// Reads `<status>:<state>` pairs.
    pub fn parse(pairs: &[String]) -> Result<RetcodeTable> {
        let parsed: Option<Vec<_>> = pairs.iter().map(|pair| pair_of(pair)).collect();
        let expected = "expected pairs such as 0:up 1:down, of up, down, warn, n/a and undef";
        parsed
            .map(RetcodeTable)
            .ok_or_else(|| Error::invalid_config(format!("retcodes is {:?}: {expected}", pairs.join(" "))))
    }

    /// The state of an exit status, if the table has it.
    pub fn state(&self, status: i32) -> Option<State> {
        // The first pair of a status counts, so that a correction can be put in front.
        self.0.iter().find(|(known, _)| *known == status).map(|(_, state)| *state)
    }

    /// Converts the report of a run: a status that means up becomes 0, all others become failures.
    pub fn judge(&self, report: RunReport) -> RunReport {
        let RunReport { exit_status, text } = report;
        match (self.state(exit_status) == Some(State::Up), exit_status) {
            (true, _) => RunReport { exit_status: 0, text },
            // An exit status of 0 that does not mean up must still fail the run.
            (false, 0) => RunReport { exit_status: 1, text: format!("{text}, which retcodes does not list as up") },
            (false, _) => RunReport { exit_status, text },
        }
    }
}

fn pair_of(pair: &str) -> Option<(i32, State)> {
    let (status, state) = pair.split_once(':')?;
    let state = match state {
        "up" => State::Up,
        "down" => State::Down,
        "warn" => State::Warn,
        "n/a" => State::NotApplicable,
        "undef" => State::Undefined,
        _ => return None,
    };
    Some((status.parse().ok()?, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retcodes_are_pairs_and_the_first_of_a_status_counts() {
        let parse = |text: &str| RetcodeTable::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let codes = parse("0:up 1:down 3:warn 0:down").unwrap();
        assert_eq!((codes.state(0), codes.state(3), codes.state(2)), (Some(State::Up), Some(State::Warn), None));
        for bad in ["up", "0:on", "x:up", "0:"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
