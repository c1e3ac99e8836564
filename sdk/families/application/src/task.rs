//! The keywords of every task: the timeout of a run, the meaning of its exit status, and whether the operator must confirm it.

use std::time::Duration;

use hostler_sdk::{Context, Error, Keywords, Problem, Result};

use crate::RetcodeTable;

/// The keywords of every task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Keywords)]
pub struct TaskKeywords {
    /// How long a run may take. One that takes longer is stopped.
    #[keyword(alias = "run_timeout", example = "1h")]
    pub timeout: Option<Duration>,
    /// The meaning of exit statuses: `up` is success, everything else is failure.
    #[keyword(default = "0:up 1:down")]
    pub retcodes: Vec<String>,
    /// Whether a run must be confirmed, by `--confirm` or at the terminal.
    pub confirmation: bool,
}

impl TaskKeywords {
    /// The problem with the keywords, if there is one.
    pub fn problems(&self) -> Option<Problem> {
        let error = RetcodeTable::parse(&self.retcodes).err()?;
        Some(Problem::new("retcodes", error))
    }

    /// The table of exit statuses.
    pub fn retcodes(&self) -> Result<RetcodeTable> {
        RetcodeTable::parse(&self.retcodes)
    }

    /// Fails if runs must be confirmed and the operator has not confirmed this run.
    pub fn must_be_confirmed(&self, context: &Context) -> Result<()> {
        if self.confirmation && context.var("confirm") != Some("true") {
            return Err(Error::failed("this task must be confirmed: use --confirm"));
        }
        Ok(())
    }
}
